#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: dictionary.sh NAME
# Prints the path of the dictionary of a fuzz target, if it has one; the types of
# maps share theirs.
case $1 in
text | owners | virtual | aliases | accounts) name=maps ;;
*) name=$1 ;;
esac
file=tests/fuzz/$name.dict
[ ! -e "$file" ] || echo "$file"
