// SPDX-License-Identifier: GPL-2.0
/* What comes over the daemon's socket, and what kservctl takeover reads of others' rules, of any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include "cluster/manifest.h"
#include "control/answer.h"
#include "kservctl/leftover.h"
#include "kservd/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(const char *text, size_t len, struct kserv_errors *errors)
{
	struct kserv_manifests manifests = { 0 };
	struct kserv_control_request request;
	struct kserv_text written = { 0 };
	size_t i;

	if (!kserv_control_read_request(text, len, &request, errors)) {
		for (i = 0; i < request.n_files; i++)
			kserv_manifests_read(&manifests, request.files[i].source, request.files[i].text, request.files[i].len,
					     errors);
		kserv_control_write_request(&written, &request);
	}
	kserv_manifests_clear(&manifests);
	kserv_control_request_clear(&request);
	kserv_text_clear(&written);
}

static void read_answer(const char *text, size_t len, struct kserv_errors *errors)
{
	struct kserv_control_answer answer;
	struct kserv_text written = { 0 };

	if (!kserv_control_read_answer(text, len, &answer, errors))
		kserv_control_write_answer(&written, &answer);
	kserv_control_answer_clear(&answer);
	kserv_text_clear(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };
	size_t chains, rules;
	struct place place;

	kserv_text_add_bytes(&text, (const char *)data, size);
	read_request(text.s, text.len, &errors);
	read_answer(text.s, text.len, &errors);
	place_read(text.s, &place);
	free(leftover_script(text.s, &chains, &rules));
	kserv_errors_clear(&errors);
	kserv_text_clear(&text);
	return 0;
}
