#!/usr/bin/env bash
# Makes DIRECTORY/debian.warc.gz of the HTML pages of Debian's documentation packages, more than 20,000 in a dozen languages, which apt-get
# fetches into DIRECTORY (200 MB). Needs Debian 12 or a later one, and Python 3.11.
#
#   host/benches/corpus/debian.sh DIRECTORY [OPTIONS OF make_warc.py]
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?DIRECTORY is missing}"
cd "$1"
shift
packages=(
    debian-faq-{de,fr,it,ja,ko,nl,pt,ru,zh-cn} debian-reference-{de,en,es,fr,it,ja,pt,zh-cn,zh-tw} debian-handbook
    developers-reference-{de,fr,it,ja,ru} installation-guide-{amd64,arm64,armhf,i386,s390x} maint-guide-{de,fr,ja,ru,vi,zh-cn,zh-tw}
    postgresql-doc-15 python-django-doc python3.11-doc openjdk-17-doc erlang-doc libglib2.0-doc libgtk-3-doc qtbase5-doc-html
)
for package in "${packages[@]}"; do
    # Other releases of Debian have other versions of some.
    compgen -G "${package}_*.deb" >/dev/null || apt-get download --quiet --quiet "$package" || echo "left out: $package" >&2
done
python3 "$scripts/make_warc.py" --out debian.warc.gz "$@" ./*.deb
