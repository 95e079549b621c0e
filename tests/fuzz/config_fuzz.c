// SPDX-License-Identifier: GPL-2.0
/* Configuration files of any bytes. */
#include <stdint.h>
#include "source/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kserv_embedded_config config;
	struct kserv_errors errors = { 0 };
	struct kserv_settings settings;

	if (!kserv_embedded_config_parse(&config, "fuzz", (const char *)data, size, &errors)) {
		kserv_embedded_config_settings(&config, &settings);
		kserv_settings_clear(&settings);
	}
	kserv_embedded_config_clear(&config);
	kserv_errors_clear(&errors);
	return 0;
}
