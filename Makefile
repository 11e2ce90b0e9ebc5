# The file system layout of an installed Berth. `npm run build` makes what is installed here; see packaging/build.
#   make install DESTDIR=/tmp/root prefix=/usr
#   make deb [VERSION=0.1.0]                 dist/berth_VERSION_amd64.deb, inside the Debian 13 tree

VERSION ?= $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
DESTDIR ?=
prefix ?= /usr
sysconfdir ?= /etc
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib/berth
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/berth
systemddir ?= $(prefix)/lib/systemd
unitdir ?= $(systemddir)/system
userunitdir ?= $(systemddir)/user
generatordir ?= $(systemddir)/system-generators
usergeneratordir ?= $(systemddir)/user-generators
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
catalogdir ?= $(systemddir)/catalog
apparmordir ?= $(sysconfdir)/apparmor.d

PACKAGE := dist/berth_$(VERSION)_amd64.deb
MANUAL := $(wildcard build/man/*.[1-8])
UNITS := $(wildcard units/system/* units/user/*)
PARTS := dist/berth dist/ask dist/ports $(wildcard dist/*.cjs) $(UNITS) $(MANUAL) $(wildcard packaging/debian/* packaging/apparmor/* \
	packaging/tmpfiles/* packaging/catalog/* packaging/lib/* packaging/selinux/*) $(wildcard build/completions/berth.*) Makefile

.PHONY: install install-program install-units install-manual deb

install: install-program install-units install-manual

install-program:
	install -D -m 755 dist/berth $(DESTDIR)$(bindir)/berth
	install -D -m 755 dist/ask $(DESTDIR)$(libdir)/ask
	install -D -m 755 dist/ports $(DESTDIR)$(libdir)/ports
	for file in $(wildcard dist/*.cjs); do install -D -m 644 $$file $(DESTDIR)$(libdir)/$${file##*/} || exit 1; done
	for file in build/seccomp.json build/seccomp-no-chroot.json; do install -D -m 644 $$file $(DESTDIR)$(libdir)/$${file##*/} || exit 1; done
	install -D -m 644 packaging/selinux/berth.cil $(DESTDIR)$(datadir)/berth/berth.cil
	for file in start-names stop-names; do install -D -m 755 packaging/lib/$$file $(DESTDIR)$(libdir)/$$file || exit 1; done
	install -d $(DESTDIR)$(generatordir) $(DESTDIR)$(usergeneratordir)
	ln -sfr $(DESTDIR)$(bindir)/berth $(DESTDIR)$(generatordir)/berth-system-generator
	ln -sfr $(DESTDIR)$(bindir)/berth $(DESTDIR)$(usergeneratordir)/berth-user-generator

# Static units hold one placeholder, the path of the program.
install-units:
	install -d $(DESTDIR)$(unitdir) $(DESTDIR)$(userunitdir)
	for unit in $(wildcard units/system/*); do sed 's#@berth@#$(bindir)/berth#' $$unit > $(DESTDIR)$(unitdir)/$${unit##*/} || exit 1; done
	for unit in $(wildcard units/user/*); do sed 's#@berth@#$(bindir)/berth#' $$unit > $(DESTDIR)$(userunitdir)/$${unit##*/} || exit 1; done
	install -D -m 644 packaging/tmpfiles/berth.conf $(DESTDIR)$(tmpfilesdir)/berth.conf
	install -D -m 644 packaging/catalog/berth.catalog $(DESTDIR)$(catalogdir)/berth.catalog
	install -D -m 644 packaging/apparmor/berth $(DESTDIR)$(apparmordir)/berth

install-manual:
	install -D -m 644 packaging/debian/copyright $(DESTDIR)$(docdir)/copyright
	install -m 644 NEWS.md $(DESTDIR)$(docdir)/NEWS.md
	for page in $(MANUAL); do install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	install -D -m 644 build/completions/berth.bash $(DESTDIR)$(datadir)/bash-completion/completions/berth
	install -D -m 644 build/completions/berth.zsh $(DESTDIR)$(datadir)/zsh/vendor-completions/_berth
	install -D -m 644 build/completions/berth.fish $(DESTDIR)$(datadir)/fish/vendor_completions.d/berth.fish

deb: $(PACKAGE)

$(PACKAGE): $(PARTS)
	@echo "  DEB $@"
	@sh packaging/debian/make-deb.sh $(VERSION) $@
