# shellcheck shell=bash
# What the other scripts share. Sourced after `set -euo pipefail`, from the top of the repository.

say() { printf '%s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Headers and libraries to build with, the broker to run and test with, the browser to test with; used by the scripts that source this.
# shellcheck disable=SC2034
build_packages=(libmosquitto-dev libzstd-dev zlib1g-dev libsnappy-dev liblz4-dev libbrotli-dev libsimdjson-dev pkg-config libstdc++-12-dev)
# shellcheck disable=SC2034
broker_packages=(mosquitto mosquitto-clients)
# The browser that looks at the dashboard, and a font for its screenshots.
# shellcheck disable=SC2034
browser_packages=(chromium chromium-driver fonts-inter)

# Installs the Debian packages named that are missing. Asks before, unless CI=true.
install_missing() {
    local package missing=() sudo=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Missing Debian packages: ${missing[*]}"
    if [ "${CI:-}" != true ]; then
        local answer
        read -r -p 'Install them with apt-get now? [Y/n] ' answer || answer=n
        case $answer in
            '' | [Yy]*) ;;
            *) fail "install them first: apt-get install ${missing[*]}" ;;
        esac
    fi
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# Installs the servers that benchmarks run copies of. Debian starts what it installs; a server that was there before is left alone.
install_peers() {
    local server servers=() sudo=()
    for server in influxdb victoria-metrics; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$server" 2>/dev/null)" = installed ] || servers+=("$server")
    done
    install_missing influxdb victoria-metrics
    if [ ${#servers[@]} -gt 0 ] && [ -d /run/systemd/system ]; then
        [ "$(id -u)" -eq 0 ] || sudo=(sudo)
        "${sudo[@]}" systemctl disable --now --quiet "${servers[@]}"
    fi
}

# Builds both programs in release mode; sets gaugehouse_bin and load_bin.
build_release() {
    # Without the network the dashboard says what it lacks; everything else is whole.
    scripts/chart-library.sh || say 'The dashboard will have no charts: their library could not be fetched.'
    # Through a pipe always: on a terminal SwiftPM adds a flag for colours, and builds everything anew when that comes or goes.
    swift build -c release --product gaugehouse 2>&1 | cat
    swift build -c release --product gaugehouse-load 2>&1 | cat
    local directory
    directory=$(swift build -c release --show-bin-path)
    gaugehouse_bin=$directory/gaugehouse
    load_bin=$directory/gaugehouse-load
    export gaugehouse_bin load_bin
}

# Builds the program that is killed; sets torture_bin.
build_torture() {
    swift build -c release --product gaugehouse-torture 2>&1 | cat
    torture_bin=$(swift build -c release --show-bin-path)/gaugehouse-torture
    export torture_bin
}

# Installs promtool, a client of the tests. It comes with a server that Debian starts; one that was there before is left alone.
install_promtool() {
    local sudo=()
    command -v promtool >/dev/null && return
    install_missing prometheus
    if [ -d /run/systemd/system ]; then
        [ "$(id -u)" -eq 0 ] || sudo=(sudo)
        "${sudo[@]}" systemctl disable --now --quiet prometheus
    fi
}

# Installs what tests need, and builds every program of theirs; sets GAUGEHOUSE_PYTHON and where the programs are.
prepare_tests() {
    install_missing "${build_packages[@]}" "${broker_packages[@]}" "${browser_packages[@]}" python3 openssl
    install_promtool
    # For pyspark, which reads Parquet in tests.
    command -v java >/dev/null || install_missing openjdk-17-jre-headless
    # Debian keeps what `python3 -m venv` needs in a package of its own.
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_missing python3-venv

    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
    export GAUGEHOUSE_PYTHON=$PWD/.venv/bin/python

    build_release
    build_torture
    export GAUGEHOUSE_BIN=$gaugehouse_bin GAUGEHOUSE_LOAD_BIN=$load_bin GAUGEHOUSE_TORTURE_BIN=$torture_bin
    export PATH=$PATH:/usr/sbin
}

# True when nothing listens at 127.0.0.1:$1.
is_free_port() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints the first free port of those given.
first_free_port() {
    local port
    for port in "$@"; do
        if is_free_port "$port"; then
            echo "$port"
            return
        fi
    done
    fail "none of these ports is free: $*"
}

# Waits until process $2 listens at 127.0.0.1:$1, at most 30 seconds.
wait_for_port() {
    local _
    for _ in $(seq 300); do
        is_free_port "$1" || return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# Mosquitto lives in /usr/sbin, which is not in everyone's path.
mosquitto_bin() { PATH=$PATH:/usr/sbin command -v mosquitto; }

# Writes a private copy of configs/mosquitto.conf to $1, listening at port $2, keeping its state in directory $3.
write_broker_config() {
    mkdir -p "$3"
    sed -e "s#^listener .*#listener $2 127.0.0.1#" -e "s#^persistence_location .*#persistence_location $3/#" configs/mosquitto.conf >"$1"
    # Started by root, the broker becomes the user `mosquitto`, who could not write here.
    [ "$(id -u)" -ne 0 ] || printf 'user root\n' >>"$1"
}
