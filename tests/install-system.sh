#!/bin/sh
# Installs what the tests need from the system's packages: Chromium for the pages, PostgreSQL for the store.
# Where there is no apt or no right to use it, the tests that need them say that they skip.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "not installed, and no apt-get here:$missing"; exit 0; }
as_root=""
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root="sudo"; else
        echo "not installed, and no right to install:$missing"; exit 0
    fi
fi
echo "Installing$missing ..."
$as_root apt-get update -qq
# PostgreSQL is started by the tests themselves, not by the system.
DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
