#!/bin/sh
# A client for the shell: logs in with REST, sends an event if one is given, prints those that come.
#
#     ./client.sh ["96,30,5,,,,-,0,1,2"]      # turn on zone 1, subzone 2
#
# The environment says where and who: VSCP_REST, VSCP_USER, VSCP_PASSWORD. Without TLS the password
# is sent in clear text: use https.
set -eu

rest=${VSCP_REST:-http://localhost:8884/rest}
session=

# call OPERATION [PARAMETER=VALUE]...: prints the reply. User and session are given to curl on its
# standard input, so that they are in no list of processes.
call() {
    operation=$1
    shift
    for parameter; do
        set -- "$@" --data-urlencode "$parameter"
        shift
    done
    reply=$(curl --silent --show-error --config - --data "op=$operation&format=plain" "$@" "$rest" <<END
header = "vscpuser: ${VSCP_USER:-admin}"
header = "vscpsecret: ${VSCP_PASSWORD:-secret}"
header = "vscpsession: $session"
END
    )
    case $reply in
        1*) printf '%s\n' "$reply" ;;
        0\ -6*) ;; # no events
        *) printf 'refused: %s\n' "$reply" >&2; return 1 ;;
    esac
}

opened=$(call open)
session=$(printf '%s' "$opened" | sed -n 's/.*vscpsession=\([0-9A-Fa-f]*\).*/\1/p')
trap 'call close >/dev/null' EXIT
trap 'exit 0' INT TERM
for event; do
    call sendevent "vscpevent=$event" >/dev/null
done
while :; do
    call readevent count=100 | tr -d '\r' | sed -n 's/^- //p'
    sleep 1
done
