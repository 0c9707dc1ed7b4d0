#!/usr/bin/env -S LC_ALL=C.UTF-8 bash
# Says hello from bash, with nothing but bash and what lies beside it.
set -eu
. "${0%/*}/lib/json.sh"

VERSION="1.0.0"
BROKEN=false # a release that passes every check before it runs, and then dies in init
greeting='"hello"'
manifest='{"options":[{"name":"script-greeting","type":"string","default":"hello","description":"What to say"}],
"rpcmethods":[{"name":"script-hello","usage":"","description":"Say hello"}],"subscriptions":[],"hooks":[],"dynamic":true}'

while read -r line; do
    id=$(raw id "$line")
    case $(raw method "$line") in
    "") continue ;;
    '"getmanifest"') result=$manifest ;;
    '"init"')
        if $BROKEN; then
            echo "this release is broken" >&2
            exit 1
        fi
        greeting=$(raw script-greeting "$line")
        result='{}'
        ;;
    *) result="{\"say\":$greeting,\"version\":\"$VERSION\"}" ;;
    esac
    printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n\n' "$id" "$result"
done
