# SPDX-License-Identifier: GPL-2.0
"""HTTP/2 with TLS before a server that speaks HTTP/1.1 without: each stream is a connection of its own behind."""
import asyncio
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions


class Http2:
    """@connections: how many clients made"""

    def __init__(self, folder, api):
        self.api, self.connections = api, 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder + "/server.crt", folder + "/server.key")
        self.tls.set_alpn_protocols(["h2"])
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls), self.loop).result()
        self.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _serve(self, reader, writer):
        self.connections += 1
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        room, tasks = asyncio.Condition(), {}
        try:
            writer.write(connection.data_to_send())
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        stream = self._stream(connection, writer, room, event.stream_id, dict(event.headers))
                        tasks[event.stream_id] = asyncio.ensure_future(stream)
                    elif isinstance(event, h2.events.StreamReset) and event.stream_id in tasks:
                        tasks.pop(event.stream_id).cancel()
                writer.write(connection.data_to_send())
                async with room:
                    room.notify_all()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            for task in tasks.values():
                task.cancel()
            writer.close()

    async def _stream(self, connection, writer, room, stream_id, request):
        back_writer = None
        try:
            back, back_writer = await asyncio.open_connection("127.0.0.1", self.api.port)
            lines = [f"{request[':method']} {request[':path']} HTTP/1.1", "Host: api", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in request.items() if not name.startswith(":")]
            back_writer.write("\r\n".join(lines + ["", ""]).encode())
            head = (await back.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            chunked = headers.pop("transfer-encoding", "") == "chunked"
            headers.pop("connection", None)
            connection.send_headers(stream_id, [(":status", head[0].split(" ")[1]), *headers.items()])
            writer.write(connection.data_to_send())
            if not chunked:
                await self._send(connection, writer, room, stream_id, await back.readexactly(int(headers["content-length"])))
            while chunked and (size := int(await back.readline(), 16)):
                await self._send(connection, writer, room, stream_id, (await back.readexactly(size + 2))[:-2])
            connection.end_stream(stream_id)
        except (OSError, EOFError, ValueError):
            connection.reset_stream(stream_id, 2)
        finally:
            writer.write(connection.data_to_send())
            if back_writer:
                back_writer.close()

    @staticmethod
    async def _send(connection, writer, room, stream_id, data):
        while data:
            async with room:
                while not (n := min(connection.local_flow_control_window(stream_id), connection.max_outbound_frame_size,
                                    len(data))):
                    await room.wait()
            connection.send_data(stream_id, data[:n])
            data = data[n:]
            writer.write(connection.data_to_send())
            await writer.drain()
