#!/usr/bin/env bash
# Installs the Debian packages the project needs, where it may; says what is missing where it may not.
#   libgomp1   OpenMP at run time, for LightGBM
#   fonts-noto-cjk   Chinese characters for the PDF of the Chinese report; not asked for where there are any
#   python3-venv is named because Debian's own Python ships without it
#   chromium   opens the report in a test; needed by `make test` only
#   openjdk-17-jre-headless   the Spark cluster of the tests; needed by `make test` only, and not where there is a java
#   postgresql   the database that judges the exported card and takes published runs; needed by `make test` only
#   strace, faketime   make system calls fail and the clock go back under the command; needed by `make test` only
# usage: system-packages.sh run|test
set -euo pipefail

missing=()
ldconfig -p 2>/dev/null | grep -q 'libgomp\.so\.1' || missing+=(libgomp1)
python3.11 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3.11-venv)
# Without a font the Chinese PDF is left out and said so; nothing else needs it.
if command -v fc-list >/dev/null; then has_chinese=$(fc-list :lang=zh-cn family); else has_chinese=$(compgen -G '/usr/share/fonts/*/*/*CJK*' || true); fi
wished=()
[ -n "$has_chinese" ] || wished+=(fonts-noto-cjk)
if [ "${1:-run}" = test ]; then
  command -v chromium >/dev/null || missing+=(chromium)
  command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
  command -v strace >/dev/null || missing+=(strace)
  command -v faketime >/dev/null || missing+=(faketime)
fi
[ "${1:-run}" = test ] && missing+=("${wished[@]}") && wished=()
[ ${#missing[@]} -eq 0 ] && [ ${#wished[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]} ${wished[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" "${wished[@]}" >/dev/null
elif [ ${#missing[@]} -eq 0 ]; then
  echo "without ${wished[*]} the Chinese report has no PDF; its page is written all the same" >&2
else
  echo "please install these packages first: ${missing[*]}" >&2
  exit 69
fi
