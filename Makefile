# SPDX-License-Identifier: GPL-2.0
# The people's door; `make help` lists what there is. Inside a kernel build, Kbuild is read instead.

B := $(abspath $(or $(KSERV_BUILD),build))
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# Debian's packages have another one.
ZSH_FOLDER ?= zsh/site-functions
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
export KSERV_BUILD := $(B)
export JOBS

CC ?= gcc
CFLAGS ?= -O2 -g
LIBRARIES := libnl-genl-3.0 libnl-route-3.0 popt yaml-0.1 libcjson sqlite3 libcurl libsystemd libmicrohttpd libnftables
WARNINGS := -Wall -Wextra -Wshadow -Werror
DEFINES := -D_GNU_SOURCE -DKSERV_VERSION='"$(VERSION)"'
INCLUDES = -Iinclude/uapi -Iuserspace $(shell pkg-config --cflags $(LIBRARIES))
LIBS = $(shell pkg-config --libs $(LIBRARIES)) -lresolv
# make V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,echo '  $(1)')
COMPILE = $(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) $(DEFINES) $(INCLUDES) -MMD -MP
# A program loads only the libraries that it uses: kservctl begins sooner without those of the daemon.
LINK = $(CC) $(CFLAGS) -Wl,--as-needed $(LDFLAGS)

# A program is a folder of userspace/ that has a main.c; everything else is in one archive.
program_mains := $(wildcard userspace/*/main.c)
programs := $(patsubst userspace/%/main.c,$(B)/bin/%,$(program_mains))
library_objects := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(program_mains),$(wildcard userspace/*/*.c)))
library := $(B)/obj/libkserv.a
unit_tests := $(patsubst tests/unit/%.c,$(B)/bin/unit/%,$(wildcard tests/unit/*_test.c))
unit_parts := $(patsubst %.c,$(B)/obj/%.o,$(filter-out %_test.c,$(wildcard tests/unit/*.c)))
# Programs for the test cases in the VM, one a source file.
vm_programs := $(foreach source,$(wildcard tests/e2e/*.c tests/e2e/*/*.c tests/bench/*.c),\
	$(B)/bin/tests/$(basename $(notdir $(source))))

# Programs for the tests outside of VMs that use the library.
host_sources := $(wildcard tests/apiserver/*.c tests/dns/*.c)
host_programs := $(foreach source,$(host_sources),$(B)/bin/tests/$(basename $(notdir $(source))))

fuzz_programs := $(patsubst tests/fuzz/%.c,$(B)/bin/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

manual_pages := $(wildcard man/*.scd)
prepared_kernels := $(wildcard $(B)/kernels/6.*.*/lib/modules/*/build)
running_kernel := $(wildcard /lib/modules/$(shell uname -r)/build)
KDIR ?= $(running_kernel) $(prepared_kernels)

all: userspace modules

help:
	@echo 'kserv $(VERSION): Kubernetes Service and Pod networking in one kernel module'
	@echo
	@echo '  make demo          install what is missing, build, show a cluster in a VM'
	@echo '  make test          every check and test, from a bare Debian 12'
	@echo
	@echo '  make modules       kserv.ko, for KDIR=... or the running and the prepared kernels'
	@echo '  make userspace     build/bin/kservctl and what else has a main.c'
	@echo '  make man           the manual pages (with scdoc)'
	@echo '  make check         the everyday loop: builds with all warnings, unit tests, linters'
	@echo '  make shell         a shell in a VM with everything loaded (KERNEL=6.1 or 6.12)'
	@echo '  make soak          random messages, packets and faults on the debug kernel for MINUTES=30'
	@echo '  make data-races    cases on a kernel that looks for data races in the module (KCSAN)'
	@echo '  make planted       do the tests notice mistakes that are made in a copy of the module?'
	@echo '  make test-newest   the cases on the newest kernel of Debian unstable'
	@echo '  make test-vng      the cases in the VM of virtme-ng'
	@echo '  make test-kubernetes  with a real control plane, whose programs are in KUBE_BINARIES or the PATH'
	@echo '  make fuzz          any bytes into what reads bytes, SECONDS=... (600) for each reader'
	@echo '  make bench         measure against the other service proxies'
	@echo '  make genl          generate the netlink code from include/kserv.yaml again'
	@echo '  make install       kservctl, kservd, manual and completion into DESTDIR PREFIX ($(PREFIX))'
	@echo '  make deb           the Debian packages kserv-dkms, kserv and kservd, into build/deb/'
	@echo '  make dkms-install  the module into this machine, for each kernel that it gets'
	@echo '  make clean         remove what was built (the kernels for the VMs are kept)'

# Two people may build in one tree: files appear whole (made as NAME.PID, then renamed), and a lock for
# each goal keeps them from doing the same work at once.
locked = $(if $(2),+@mkdir -p $(B); $(MAKE) -sq --no-print-directory $(2) 2>/dev/null || \
	flock $(B)/.$(1).lock $(MAKE) --no-print-directory -j$(JOBS) $(2))

modules:
	@[ -n "$(strip $(KDIR))" ] || { echo 'make modules: no kernel headers: give KDIR=..., install' \
		'linux-headers-$(shell uname -r), or prepare kernels for VMs with scripts/deps demo' >&2; exit 1; }
	@for kdir in $(KDIR); do scripts/module "$$kdir" || exit 1; done

userspace: libraries-there
	$(call locked,userspace,$(programs))

unit-tests: libraries-there
	$(call locked,unit-tests,$(unit_tests))

vm-programs: libraries-there
	$(call locked,vm-programs,$(vm_programs))

host-programs: libraries-there
	$(call locked,host-programs,$(host_programs))

# With clang: tests/fuzz/run.
fuzz-programs: libraries-there
	$(call locked,fuzz-programs,$(fuzz_programs))

libraries-there:
	@pkg-config --exists --print-errors $(LIBRARIES) || { echo 'make: libraries are missing;' \
		'scripts/deps build installs them on Debian' >&2; exit 1; }

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(COMPILE) -MT $@ -MF $(@:.o=.d).$$$$ -c -o $@.$$$$ $< && mv $(@:.o=.d).$$$$ $(@:.o=.d) && mv $@.$$$$ $@

$(library): $(library_objects) $(B)/obj/members
	@ar rcs $@.$$$$ $(library_objects) && mv $@.$$$$ $@

# Changes when a source file comes or goes.
$(shell mkdir -p $(B)/obj && echo $(library_objects) | cmp -s - $(B)/obj/members || \
	echo $(library_objects) >$(B)/obj/members)

$(programs): $(B)/bin/%: $(B)/obj/userspace/%/main.o $(library)
	@mkdir -p $(@D)
	$(call say,LD $(@F))
	$(Q)$(LINK) -o $@.$$$$ $^ $(LIBS) && mv $@.$$$$ $@

$(unit_tests): $(B)/bin/unit/%: $(B)/obj/tests/unit/%.o $(unit_parts) $(library)
	@mkdir -p $(@D)
	$(call say,LD $(@F))
	$(Q)$(LINK) -o $@.$$$$ $^ $(LIBS) -lcmocka -lldns && mv $@.$$$$ $@

dns_cluster := $(patsubst %,$(B)/obj/tests/unit/%.o,dns_cluster cluster_objects)

define host_program
$(B)/bin/tests/$(basename $(notdir $(1))): $(B)/obj/$(basename $(1)).o $(if $(filter tests/dns/%,$(1)),$(dns_cluster)) $(library)
	@mkdir -p $$(@D)
	$$(call say,LD $$(@F))
	$$(Q)$$(LINK) -o $$@.$$$$$$$$ $$^ $$(LIBS) $(if $(filter tests/dns/%,$(1)),-lldns) && mv $$@.$$$$$$$$ $$@
endef
$(foreach source,$(host_sources),$(eval $(call host_program,$(source))))

$(fuzz_programs): $(B)/bin/fuzz/%: $(B)/obj/tests/fuzz/%.o $(unit_parts) $(library)
	@mkdir -p $(@D)
	$(call say,LD $(@F))
	$(Q)$(LINK) -fsanitize=fuzzer -o $@.$$$$ $^ $(LIBS) -lcmocka -lldns && mv $@.$$$$ $@

define vm_program
$(B)/bin/tests/$(basename $(notdir $(1))): $(B)/obj/$(basename $(1)).o
	@mkdir -p $$(@D)
	$$(call say,LD $$(@F))
	$$(Q)$$(LINK) -o $$@.$$$$$$$$ $$^ $$(LIBS) && mv $$@.$$$$$$$$ $$@
endef
$(foreach source,$(wildcard tests/e2e/*.c tests/e2e/*/*.c tests/bench/*.c),$(eval $(call vm_program,$(source))))
# What to fuzz is written down in include/kserv.yaml.
$(B)/bin/tests/netlink_fuzz: $(B)/obj/userspace/lib/attributes.o

demo shell: export KERNEL ?= 6.1

demo:
	@scripts/deps demo
	@$(MAKE) --no-print-directory userspace vm-programs modules
	@tests/e2e/vm --kernel "$$KERNEL" --dir . --name demo --timeout 1800 -- tests/e2e/demo

shell:
	@scripts/deps demo
	@$(MAKE) --no-print-directory userspace vm-programs modules
	@tests/e2e/vm --kernel "$$KERNEL" --dir . --name shell --timeout 86400 --console -- tests/e2e/demo --shell

check:
	@scripts/deps test
	@tests/run check

test:
	@scripts/deps test
	@tests/run all

# MINUTES says how long at least; the last round takes some more.
soak:
	@scripts/deps test
	@tests/run soak

data-races:
	@scripts/deps test
	@tests/run data-races

planted:
	@scripts/deps test
	@tests/run planted

test-newest:
	@scripts/deps test
	@tests/run newest

test-vng:
	@scripts/deps vng
	@tests/run vng

test-kubernetes:
	@scripts/deps test
	@tests/run kubernetes

fuzz:
	@scripts/deps test
	@tests/fuzz/run $(or $(SECONDS),600)

bench:
	@scripts/deps test
	@$(MAKE) --no-print-directory userspace vm-programs host-programs modules
	@tests/bench/dns
	@tests/bench/run

genl:
	@scripts/deps test
	@include/regen $(B)/linux-source

# What the programs say of their options is taken from themselves.
man: userspace
	@command -v scdoc >/dev/null || { echo 'make man: scdoc is missing; scripts/deps deb installs it on Debian' >&2; exit 1; }
	@mkdir -p $(B)/man
	@for page in $(basename $(notdir $(manual_pages))); do \
		scripts/manual man/$$page.scd $(B)/bin >$(B)/man/$$page.scd && scdoc <$(B)/man/$$page.scd >$(B)/man/$$page || exit 1; done

install: userspace $(if $(shell command -v scdoc),man)
	install -D -m 755 $(B)/bin/kservctl '$(DESTDIR)$(PREFIX)/sbin/kservctl'
	install -D -m 755 $(B)/bin/kservd '$(DESTDIR)$(PREFIX)/sbin/kservd'
	install -d '$(DESTDIR)$(PREFIX)/lib/systemd/system'
	sed 's|/usr/sbin/|$(PREFIX)/sbin/|' deploy/kservd.service >'$(DESTDIR)$(PREFIX)/lib/systemd/system/kservd.service'
	install -d $(addprefix '$(DESTDIR)$(PREFIX)/share'/,bash-completion/completions $(ZSH_FOLDER) fish/vendor_completions.d)
	$(B)/bin/kservctl completion bash >'$(DESTDIR)$(PREFIX)/share/bash-completion/completions/kservctl'
	$(B)/bin/kservctl completion zsh >'$(DESTDIR)$(PREFIX)/share/$(ZSH_FOLDER)/_kservctl'
	$(B)/bin/kservctl completion fish >'$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/kservctl.fish'
	@command -v scdoc >/dev/null || echo 'make install: without scdoc there is no manual; man/ has its sources'
	$(if $(shell command -v scdoc),$(foreach page,$(basename $(notdir $(manual_pages))),install -D -m 644 $(B)/man/$(page) \
		'$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(page)';))

deb:
	@scripts/deps deb
	@scripts/deb

dkms-install:
	@scripts/dkms-install

clean:
	@find $(B) -mindepth 1 -maxdepth 1 ! -name kernels ! -name linux-source -exec rm -rf {} + 2>/dev/null || true

.PHONY: all help modules userspace unit-tests vm-programs host-programs fuzz-programs libraries-there demo shell \
	check test soak data-races planted test-newest test-vng test-kubernetes fuzz bench genl install dkms-install clean
.SECONDARY:

-include $(patsubst %.c,$(B)/obj/%.d,$(wildcard userspace/*/*.c tests/unit/*.c tests/apiserver/*.c tests/dns/*.c \
	tests/fuzz/*.c tests/e2e/*.c tests/e2e/*/*.c tests/bench/*.c))
