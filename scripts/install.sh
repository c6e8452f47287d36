#!/usr/bin/env bash
# Installs programs, unit, user, directories and configuration below DESTDIR. A configuration that is there already is kept.
#
# PREFIX (default /usr) takes the programs; the unit's paths follow it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

prefix=${PREFIX:-/usr}
root=${DESTDIR:-}
# Not asked of swift: root may not have it in its path.
directory=.build/release
[ -x "$directory/gaugehouse" ] || fail 'build first: make build'

install -D -m 755 "$directory/gaugehouse" "$root$prefix/bin/gaugehouse"
install -D -m 755 "$directory/gaugehouse-load" "$root$prefix/bin/gaugehouse-load"
install -D -m 644 systemd/gaugehouse.service "$root/usr/lib/systemd/system/gaugehouse.service"
sed -i "s#^ExecStart=/usr/bin/#ExecStart=$prefix/bin/#" "$root/usr/lib/systemd/system/gaugehouse.service"
install -D -m 644 systemd/gaugehouse-sysusers.conf "$root/usr/lib/sysusers.d/gaugehouse.conf"
install -D -m 644 systemd/gaugehouse-tmpfiles.conf "$root/usr/lib/tmpfiles.d/gaugehouse.conf"
install -D -m 644 configs/mosquitto.conf "$root$prefix/share/doc/gaugehouse/mosquitto.conf"
# What the program prints is where each shell looks for completions of packaged programs.
completion() {
    install -d "$root$prefix/share/$2"
    "$directory/gaugehouse" --generate-completion-script "$1" >"$root$prefix/share/$2/$3"
    chmod 644 "$root$prefix/share/$2/$3"
}
completion bash bash-completion/completions gaugehouse
completion zsh zsh/vendor-completions _gaugehouse
completion fish fish/vendor_completions.d gaugehouse.fish
install -D -m 644 README.md "$root$prefix/share/doc/gaugehouse/README.md"
[ -e "$root/etc/gaugehouse/gaugehouse.toml" ] || install -D -m 644 configs/gaugehouse.toml "$root/etc/gaugehouse/gaugehouse.toml"

if [ -z "$root" ]; then
    systemd-sysusers gaugehouse.conf
    systemd-tmpfiles --create gaugehouse.conf
    if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
    say 'Installed. Next: edit /etc/gaugehouse/gaugehouse.toml, then systemctl enable --now gaugehouse'
fi
