#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: build.sh VERSION BUILD
# Makes fromguard_VERSION-1_ARCH.deb of a built tree. The same tree makes the
# same bytes: files carry the time of the last commit, and belong to root.
set -eu
version=$1 build=$2
here=$(dirname "$0")
root=$build/deb
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH
umask 022

rm -rf "$root"
make -o "$build/fromguard" BUILD="$build" DESTDIR="$root" PREFIX=/usr UNITDIR=/lib/systemd/system \
	install >/dev/null
strip --strip-unneeded -R .comment -R .note "$root/usr/sbin/fromguard"
find "$root/usr/share/man" -type f -exec gzip -n9 {} +
docs=$root/usr/share/doc/fromguard
cp "$here/copyright" "$docs/copyright"
sed "s/@VERSION@/$version/; s/@DATE@/$(date -uR -d "@$SOURCE_DATE_EPOCH")/" \
	"$here/changelog" | gzip -n9 >"$docs/changelog.Debian.gz"

mkdir -p "$root/DEBIAN"
# What the program is linked with, by the names that its libraries have here.
depends=$(cd "$build" && mkdir -p debian && : >debian/control &&
	dpkg-shlibdeps -O --ignore-missing-info deb/usr/sbin/fromguard 2>/dev/null |
	sed -n 's/^shlibs:Depends=//p'; rm -rf debian)
sed -e "s/@VERSION@/$version/" -e "s/@DEPENDS@/$depends/" \
	-e "s/@ARCH@/$(dpkg --print-architecture)/" \
	-e "s/@SIZE@/$(du -k -s "$root" | cut -f1)/" "$here/control" >"$root/DEBIAN/control"
echo /etc/fromguard/fromguard.conf >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
	install -m 755 "$here/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find usr lib -type f -exec md5sum {} + | LC_ALL=C sort -k2) \
	>"$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$build/fromguard_$version-1_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
rm -rf "$root"
echo "$package"
