# The only list of commands. `make help` prints it.
#
# On a fresh Debian 12 with Rust, `make demo` and `make test` set up everything themselves; they
# and `make e2e`, `make bench` need root, for network namespaces of their own.

prefix      ?= /usr
bindir      ?= $(prefix)/bin
libexecdir  ?= $(prefix)/libexec
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/NetworkManager-aws-client-vpn
bashdir     ?= $(datadir)/bash-completion/completions
zshdir      ?= $(datadir)/zsh/vendor-completions
fishdir     ?= $(datadir)/fish/vendor_completions.d
# Where the libnm, NetworkManager and D-Bus of this system look, whatever our prefix is.
plugindir   ?= $(shell pkg-config --variable=plugindir libnm)
vpndir      ?= $(shell pkg-config --variable=vpnservicedir libnm)
dbusdir     ?= /usr/share/dbus-1/system.d
sysusersdir ?= /usr/lib/sysusers.d
tmpfilesdir ?= /usr/lib/tmpfiles.d
localedir   ?= $(datadir)/locale
unitdir ?= /usr/lib/systemd/system
userunitdir ?= /usr/lib/systemd/user
autostartdir ?= /etc/xdg/autostart
# Beside libnm's directory, as distributions have it, is Qt's.
qt5plugindir ?= $(patsubst %/NetworkManager,%/qt5/plugins,$(plugindir))
qt6plugindir ?= $(patsubst %/NetworkManager,%/qt6/plugins,$(plugindir))
# Whether it is this system that the files go to, which has to be told of them.
live ?= $(if $(DESTDIR),,yes)
# What the programs look into; a distribution's own prefix is not a staging directory.
export AWS_CLIENT_VPN_LOCALEDIR = $(localedir)
export AWS_CLIENT_VPN_LIBEXECDIR = $(libexecdir)

CARGO   ?= cargo
INSTALL ?= install
CORE     := -p aws-client-vpn-text -p aws-client-vpn-profile -p aws-client-vpn-sign-in \
	-p aws-client-vpn-session
PROGRAMS := -p aws-client-vpn-service -p aws-client-vpn-auth-dialog \
	-p aws-client-vpn-login-window -p aws-client-vpn-agent -p aws-client-vpn-cli \
	-p aws-client-vpn-provision -p aws-client-vpn-editor-plugin \
	-p aws-client-vpn-importer
EDITORS  := -p aws-client-vpn-editor-gtk3 -p aws-client-vpn-editor-gtk4
SHIPPED  := $(PROGRAMS) $(EDITORS)
TESTED   := $(CORE) $(PROGRAMS) -p aws-client-vpn-libnm -p aws-client-vpn-i18n \
	-p aws-client-vpn-editor-form -p aws-client-vpn-editor-plasma \
	-p aws-client-vpn-profile-file -p aws-client-vpn-po
FILES   := service-files
APP     := org.freedesktop.NetworkManager.AwsClientVpn
CLI     := nm-plugin/cli
LOWEST_RUST = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# Where cargo builds; packaging/openvpn/build.sh and the tests look there, too.
TARGET  := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
STAGE   := $(TARGET)/stage
# Debian releases besides this one whose GNOME Settings is tried.
RELEASES := trixie sid
# Those whose KDE Plasma is tried: 5.27, 6.3 and the newest.
PLASMAS := bookworm trixie forky
# What else is tried, on the booted system.
DESKTOPS := sway xfce cinnamon mate lxqt budgie i3 plasma

.PHONY: help deps deps-build deps-package build openvpn openvpn-for-tests openvpn-outdated install uninstall stage \
	words check lowest-rust unit e2e desktop-test releases-test desktops-test plasma-test sessions-test system-root system-test system-shell deps-vm vm-programs vm-root vm-test vm-shell selinux-root selinux-test selinux-shell deb rpm packages-test source-test architectures-test reproducible release fuzz mutants sanitize soak test \
	demo bench endpoint

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

deps: ## Debian packages that building and testing need (installs as root, else names them)
	@packaging/install-debian-packages.sh build test

deps-build:
	@packaging/install-debian-packages.sh build

deps-package:
	@packaging/install-debian-packages.sh build package

build: ## the programs and the library, in target/release
	$(CARGO) build --release --locked $(SHIPPED)
	$(CARGO) rustc --release --locked -p aws-client-vpn-editor-plasma --crate-type cdylib -- \
		-C panic=abort -C strip=symbols

openvpn: ## our patched OpenVPN, in target/openvpn (source: Debian's, or OPENVPN_TARBALL=)
	packaging/openvpn/build.sh client

openvpn-for-tests: openvpn
	packaging/openvpn/build.sh server

openvpn-outdated: ## fails when Debian has a newer OpenVPN than the one that is built
	packaging/openvpn/outdated.sh

install: build openvpn ## everything into $(DESTDIR)$(prefix)
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(libexecdir) \
		$(TARGET)/release/nm-aws-client-vpn-service $(TARGET)/release/nm-aws-client-vpn-auth-dialog \
		$(TARGET)/release/nm-aws-client-vpn-login-window
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(bindir) $(TARGET)/release/nm-aws-client-vpn-agent
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(unitdir) $(FILES)/nm-aws-client-vpn-kill-switch.path
	sed 's|@libexecdir@|$(libexecdir)|' $(FILES)/nm-aws-client-vpn-kill-switch.service.in \
		>$(DESTDIR)$(unitdir)/nm-aws-client-vpn-kill-switch.service
	chmod 644 $(DESTDIR)$(unitdir)/nm-aws-client-vpn-kill-switch.service
	$(INSTALL) -d $(DESTDIR)$(userunitdir)
	sed 's|@bindir@|$(bindir)|' $(FILES)/nm-aws-client-vpn-agent.service.in \
		>$(DESTDIR)$(userunitdir)/nm-aws-client-vpn-agent.service
	chmod 644 $(DESTDIR)$(userunitdir)/nm-aws-client-vpn-agent.service
	$(INSTALL) -d $(DESTDIR)$(autostartdir)
	sed "s|@bindir@|$(bindir)|g" $(FILES)/nm-aws-client-vpn-agent.desktop.in \
		>$(DESTDIR)$(autostartdir)/nm-aws-client-vpn-agent.desktop
	chmod 644 $(DESTDIR)$(autostartdir)/nm-aws-client-vpn-agent.desktop
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(libexecdir)/nm-aws-client-vpn $(TARGET)/openvpn/openvpn
	$(INSTALL) -D -m 644 $(TARGET)/release/libnm_vpn_plugin_aws_client_vpn.so \
		$(DESTDIR)$(plugindir)/libnm-vpn-plugin-aws-client-vpn.so
	$(INSTALL) -D -m 644 $(TARGET)/release/libnm_vpn_plugin_aws_client_vpn_editor.so \
		$(DESTDIR)$(plugindir)/libnm-vpn-plugin-aws-client-vpn-editor.so
	$(INSTALL) -D -m 644 $(TARGET)/release/libnm_gtk4_vpn_plugin_aws_client_vpn_editor.so \
		$(DESTDIR)$(plugindir)/libnm-gtk4-vpn-plugin-aws-client-vpn-editor.so
	for directory in $(qt5plugindir) $(qt6plugindir); do \
		$(INSTALL) -D -m 644 $(TARGET)/release/libplasmanetworkmanagement_aws_client_vpn.so \
			$(DESTDIR)$$directory/plasma/network/vpn/plasmanetworkmanagement_aws_client_vpn.so || exit 1; \
	done
	$(INSTALL) -d $(DESTDIR)$(vpndir)
	sed 's|@libexecdir@|$(libexecdir)|' $(FILES)/nm-aws-client-vpn-service.name.in \
		>$(DESTDIR)$(vpndir)/nm-aws-client-vpn-service.name
	chmod 644 $(DESTDIR)$(vpndir)/nm-aws-client-vpn-service.name
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(dbusdir) $(FILES)/nm-aws-client-vpn-service.conf
	$(INSTALL) -D -m 644 $(FILES)/sysusers.conf $(DESTDIR)$(sysusersdir)/nm-aws-client-vpn.conf
	$(INSTALL) -D -m 644 $(FILES)/tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/nm-aws-client-vpn.conf
	packaging/metainfo.sh $(DESTDIR)$(datadir)/metainfo
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(bindir) $(TARGET)/release/aws-client-vpn-importer \
		$(TARGET)/release/aws-client-vpn-provision
	$(INSTALL) -d $(DESTDIR)$(datadir)/applications
	msgfmt --desktop --template=$(FILES)/$(APP).desktop.in -d po \
		-o $(DESTDIR)$(datadir)/applications/$(APP).desktop
	$(INSTALL) -m 644 -t $(DESTDIR)$(datadir)/applications $(FILES)/$(APP).Login.desktop
	$(INSTALL) -D -m 644 $(FILES)/$(APP).mime.xml $(DESTDIR)$(datadir)/mime/packages/$(APP).xml
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(datadir)/icons/hicolor/scalable/apps \
		$(FILES)/icons/$(APP).svg
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(datadir)/icons/hicolor/symbolic/apps \
		$(FILES)/icons/$(APP)-symbolic.svg
	set -e; for language in $$(cat po/LINGUAS); do \
		directory=$(DESTDIR)$(localedir)/$$language/LC_MESSAGES; \
		$(INSTALL) -d $$directory; \
		msgfmt -o $$directory/NetworkManager-aws-client-vpn.mo po/$$language.po; \
	done
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(bindir) $(TARGET)/release/aws-client-vpn
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(mandir)/man1 $(CLI)/man/*.1 $(FILES)/man/*.1
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(mandir)/man5 $(FILES)/man/*.5
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(mandir)/man8 $(FILES)/man/*.8
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(docdir) README.md ARCHITECTURE.md SECURITY.md CHANGELOG.md
	set -e; for directory in docs docs/decisions docs/pictures; do \
		$(INSTALL) -d $(DESTDIR)$(docdir)/$$directory; \
		find $$directory -maxdepth 1 -type f \
			-exec $(INSTALL) -m 644 -t $(DESTDIR)$(docdir)/$$directory {} +; \
	done
	$(INSTALL) -D -m 644 $(CLI)/completions/aws-client-vpn.bash $(DESTDIR)$(bashdir)/aws-client-vpn
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(zshdir) $(CLI)/completions/_aws-client-vpn
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(fishdir) $(CLI)/completions/aws-client-vpn.fish
ifeq ($(live),yes)
	-systemd-sysusers $(sysusersdir)/nm-aws-client-vpn.conf
	-systemd-tmpfiles --create $(tmpfilesdir)/nm-aws-client-vpn.conf
	-update-mime-database $(datadir)/mime
	-update-desktop-database $(datadir)/applications
	-gtk-update-icon-cache -qtf $(datadir)/icons/hicolor
endif

# It installs once more, below target, to see which files those are.
uninstall: ## removes what install has put into $(DESTDIR)$(prefix)
	rm -rf $(TARGET)/uninstall
	$(MAKE) install DESTDIR=$(TARGET)/uninstall
ifeq ($(live),yes)
	-$(libexecdir)/nm-aws-client-vpn-service --lift-kill-switch
	-systemctl --global disable nm-aws-client-vpn-agent.service
	-systemctl disable --now nm-aws-client-vpn-kill-switch.path
endif
	find $(TARGET)/uninstall ! -type d -printf '$(DESTDIR)/%P\0' | xargs -0 rm -f
	rmdir $(DESTDIR)$(libexecdir)/nm-aws-client-vpn
	[ ! -d $(DESTDIR)$(docdir) ] || find $(DESTDIR)$(docdir) -type d -empty -delete
	rm -r $(TARGET)/uninstall
ifeq ($(live),yes)
	-systemctl daemon-reload
	-update-mime-database $(datadir)/mime
	-update-desktop-database $(datadir)/applications
	-gtk-update-icon-cache -qtf $(datadir)/icons/hicolor
endif

stage: ## the same into target/stage, as Debian has it, which the tests lay over their own /usr
	$(MAKE) install DESTDIR=$(STAGE) prefix=/usr docdir=/usr/share/doc/network-manager-aws-client-vpn

words: ## brings the catalogue in po/ up to the texts in the source
	$(CARGO) run --quiet -p aws-client-vpn-po

check: ## formatting, lints, layers, licences of the dependencies, the files that are installed
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	packaging/check-dependencies.sh
	packaging/check-service-files.sh
	packaging/check-unsafe.sh
	packaging/check-layers.py --test
	packaging/check-layers.py

lowest-rust: deps-build ## everything compiles with the lowest Rust that Cargo.toml names (rustup has to have it, or downloads it)
	rustup run --install $(LOWEST_RUST) cargo check --workspace --all-targets --locked

unit: deps-build ## tests that need no network and no NetworkManager
	$(CARGO) test --locked $(TESTED)

e2e: deps openvpn-for-tests stage ## end-to-end tests through the real NetworkManager (root)
	$(CARGO) test --locked -p aws-client-vpn-e2e

deb: deps-package ## Debian packages, binary and source, in target/dist
	packaging/deb/build.sh

rpm: deps-package ## RPM packages, binary and source, in target/dist
	packaging/rpm/build.sh

# Debian releases that the packages are installed and used in.
SUITES := bookworm trixie forky
packages-test: deps openvpn-for-tests deb rpm ## the packages: linted, installed and used in clean systems (root)
	packaging/test/lint.sh
	packaging/test/earlier-release.sh
	for suite in $(SUITES); do packaging/test/make-root.sh $$suite || exit 1; done
	$(CARGO) run --locked -p aws-client-vpn-e2e --bin packages -- $(SUITES)

source-test: deps-package ## the Debian source package, built in a clean Debian testing without a network (root, downloads it)
	PACKAGE_BUILD=source packaging/deb/build.sh
	packaging/test/source-package.sh forky

# Other architectures of Debian's than this computer's, as packaging/test/architectures.sh knows them.
ARCHITECTURES ?= i386
architectures-test: deps ## the service and OpenVPN for ARCHITECTURES (i386): built, and its tests run (root, downloads)
	TESTED='-p aws-client-vpn-service' packaging/test/architectures.sh $(ARCHITECTURES)

soak: deps openvpn-for-tests stage ## 1,000 connections and two hours of one that is lost again and again (root)
	SOAK_CYCLES=1000 SOAK_SECONDS=7200 $(CARGO) test --locked -p aws-client-vpn-e2e --test e2e -- \
		--nocapture --test-threads=1 soak::

reproducible: deb rpm ## the packages once more, elsewhere: the same bytes
	packaging/test/reproducible.sh

release: deb rpm ## what is published: packages, sources, bill of materials, checksums
	packaging/release.sh

desktop-test: deps openvpn-for-tests stage ## tests on gnome-shell, GNOME Settings and nm-applet (root)
	$(CARGO) test --locked -p aws-client-vpn-desktop

releases-test: deps openvpn-for-tests stage ## the editor in GNOME Settings of newer Debian releases (root, downloads them)
	for release in $(RELEASES); do tests/desktop/make-root.sh $$release || exit 1; done
	$(CARGO) run --locked -p aws-client-vpn-desktop --bin releases $(RELEASES)

desktops-test: plasma-test sessions-test ## connections on the desktops besides GNOME (root, downloads them)

plasma-test: deps openvpn-for-tests stage ## connections on KDE Plasma 5.27, 6.3 and the newest (root, downloads them)
	for release in $(PLASMAS); do tests/desktop/make-root.sh $$release desktops || exit 1; done
	$(CARGO) run --locked -p aws-client-vpn-desktop --bin desktops $(PLASMAS)

sessions-test: openvpn-for-tests system-root ## ordinary users' sessions of sway, XFCE and others (root, downloads them)
	tests/system/add-desktop.sh $(DESKTOPS)
	$(CARGO) build --locked -p aws-client-vpn-harness -p aws-client-vpn-endpoint --bins
	$(CARGO) run --locked -p aws-client-vpn-system --bin sessions $(DESKTOPS)

system-root: deps openvpn stage
	packaging/deb/from-stage.sh
	tests/system/make-root.sh

system-test: openvpn-for-tests system-root ## tests on a booted Debian with ordinary users (root, downloads it)
	$(CARGO) test --locked -p aws-client-vpn-system

# Who is logged in at its screen.
USERS ?= ada
system-shell: openvpn-for-tests system-root ## root's shell on that system, to look around
	$(CARGO) run --locked -p aws-client-vpn-system --bin system-shell -- $(USERS)

deps-vm:
	@packaging/install-debian-packages.sh build test vm

# What looks at the screen there runs on a processor that is fifty times as slow.
vm-programs:
	$(CARGO) build --locked -p aws-client-vpn-vm -p aws-client-vpn-harness -p aws-client-vpn-endpoint --bins
	$(CARGO) build --locked --release -p aws-client-vpn-vm --bin vm-eyes

# The machine: desktop (Debian 13), or testing.
VM ?= desktop
vm-root: deps-vm vm-programs openvpn stage
	packaging/deb/from-stage.sh
	tests/vm/make-root.sh $(VM)

# A word of the names of the tests to run; all, without one.
TEST ?=
vm-test: openvpn-for-tests vm-root ## a newcomer's way on a virtual machine with GNOME (root, downloads it)
	VM=$(VM) $(TARGET)/debug/vm-test $(if $(TEST),'$(TEST)')

vm-shell: openvpn-for-tests vm-root ## that machine, to look around: commands on the standard input
	$(TARGET)/debug/vm-shell $(VM)

selinux-root: deps-vm vm-programs openvpn stage
	packaging/deb/from-stage.sh binary
	tests/vm/make-root.sh selinux

selinux-test: openvpn-for-tests selinux-root ## the service on a virtual machine where SELinux enforces (root, downloads it)
	$(TARGET)/debug/selinux-test

selinux-shell: openvpn-for-tests selinux-root ## that machine, to look around: commands on the standard input
	$(TARGET)/debug/vm-shell selinux

sanitize: deps ## the patched OpenVPN under ASan and UBSan: its own tests and ours (root)
	packaging/openvpn/sanitize.sh

fuzz: ## each fuzz target for FUZZ_SECONDS (default 10)
	packaging/fuzz.sh

mutants: ## what tests of the pure crates miss, a part of all mutations: MUTANTS_PART (default 1/8)
	packaging/mutants.sh

test: deps check openvpn-for-tests stage system-root ## formats, lints, all tests, and a short run of each fuzz target (root)
	packaging/check-tree.sh $(STAGE)
	$(MAKE) install DESTDIR=$(TARGET)/uninstalled prefix=/usr
	$(MAKE) uninstall DESTDIR=$(TARGET)/uninstalled prefix=/usr
	! find $(TARGET)/uninstalled ! -type d | grep .
	WORKSPACE_IS_BUILT=1 $(CARGO) test --workspace --locked --no-fail-fast
	FUZZ_SECONDS=5 packaging/fuzz.sh

demo: deps openvpn-for-tests stage ## a whole login, step by step, on real programs (root)
	$(CARGO) run --locked -p aws-client-vpn-e2e --bin demo

bench: deps openvpn-for-tests stage ## how fast and how large, beside OpenVPN and NetworkManager-openvpn (root)
	$(CARGO) run --locked --release -p aws-client-vpn-e2e --bin bench

endpoint: deps openvpn-for-tests ## the emulated AWS endpoint by itself, to point any client at (root)
	$(CARGO) run --locked -p aws-client-vpn-endpoint -- --openvpn $(TARGET)/openvpn-server/openvpn
