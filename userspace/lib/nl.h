/* SPDX-License-Identifier: GPL-2.0 */
/* The netlink socket of the family kserv: requests, dumps, notifications, and the kernel's words when it refuses. */
#ifndef KSERV_NL_H
#define KSERV_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlattr;
struct kserv_message;
struct kserv_nl;

/**
 * struct kserv_nl_error - why a request was refused
 * @error: positive errno; 0 if nothing was refused
 * @text: the kernel's sentence, or ours where the kernel gave none
 * @place: the attribute it is about, as "service-set[3].endpoint[2].port of default/web:http"; "" if not known
 */
struct kserv_nl_error {
	int error;
	char text[320];
	char place[320];
};

/**
 * kserv_nl_open() - a socket to the kserv module in this process's network namespace
 * @ret_nl: close with kserv_nl_close()
 * @ret_error: may be NULL
 *
 * Return: 0; -ENOENT if the module is not loaded; -errno.
 */
int kserv_nl_open(struct kserv_nl **ret_nl, struct kserv_nl_error *ret_error);
void kserv_nl_close(struct kserv_nl *nl);
/* The socket, for poll(). */
int kserv_nl_fd(const struct kserv_nl *nl);

/**
 * typedef kserv_nl_receive_t - called with the attributes of one received message
 * @attributes: array indexed by KSERV_A_MESSAGE_*; of attributes that repeat, the first
 * @first: all attributes, in the order of the message
 * @len: bytes from @first on
 *
 * Return: 0 to go on, -errno to stop with that.
 */
typedef int kserv_nl_receive_t(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len);

/**
 * kserv_nl_request() - send one message, hand its answer (if any) to @receive, wait for the acknowledgement
 * @message: from kserv_message_init(); its header is filled in here
 *
 * Return: 0, -errno of a refusal (then @ret_error has the words).
 */
int kserv_nl_request(struct kserv_nl *nl, struct kserv_message *message, kserv_nl_receive_t *receive, void *context,
		     struct kserv_nl_error *ret_error);

/**
 * kserv_nl_dump() - the same for a dump; @receive is called for each part
 *
 * Return: 0; -EINTR if the tables changed meanwhile, so that the parts do not belong together: begin again; -errno.
 */
int kserv_nl_dump(struct kserv_nl *nl, struct kserv_message *message, kserv_nl_receive_t *receive, void *context,
		  struct kserv_nl_error *ret_error);

/* Join the multicast group "monitor". */
int kserv_nl_subscribe(struct kserv_nl *nl, struct kserv_nl_error *ret_error);

/**
 * kserv_nl_receive_event() - wait for one datagram of notifications
 *
 * Return: 0; -ENOBUFS if some were lost because they were read too slowly; -EINTR on a signal; -errno.
 */
int kserv_nl_receive_event(struct kserv_nl *nl, kserv_nl_receive_t *receive, void *context);

/**
 * kserv_nl_send_limit() - make room for a message of @len bytes
 *
 * Return: the largest message that can be sent now; less than @len where the socket's limit may not be raised.
 */
size_t kserv_nl_send_limit(struct kserv_nl *nl, size_t len);

#endif
