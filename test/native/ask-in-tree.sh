# Run by ask.sh inside the Debian tree.
set -uo pipefail
work=$(mktemp -d)
servers=
trap '[ -z "$servers" ] || kill "$servers" 2>/dev/null; rm -rf "$work"' EXIT
ip link set lo up 2>/dev/null
gcc -std=gnu17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Werror -D_GNU_SOURCE \
    -o "$work/ask" native/ask/*.c -lssl -lcrypto || exit 1
export ASAN_OPTIONS=detect_leaks=0
curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

authority() { # NAME: NAME.pem, NAME.key
    openssl req -x509 "${curve[@]}" -days 2 -keyout "$work/$1.key" -out "$work/$1.pem" -subj "/CN=$1" 2>/dev/null
}
# The certificate of a server; further words are openssl's.
issue() { # NAME AUTHORITY SUBJECT-ALTERNATIVE-NAME [WORD]…
    local name=$1 by=$2 other=$3
    shift 3
    [ $# -gt 0 ] || set -- -days 2
    mkdir -p "$work/$name"
    openssl req "${curve[@]}" -new -keyout "$work/$name/key.pem" -out "$work/request" -subj /CN=localhost 2>/dev/null
    printf 'basicConstraints=CA:FALSE\n%s\n' "${other:+subjectAltName=$other}" >"$work/extensions"
    openssl x509 -req -in "$work/request" -CA "$work/$by.pem" -CAkey "$work/$by.key" -extfile "$work/extensions" \
        -out "$work/$name/cert.pem" "$@" 2>/dev/null
}

here=DNS:localhost,IP:127.0.0.1
authority ca
authority other
issue good ca $here
issue wrong-name ca DNS:other.example,IP:127.0.0.9
issue no-name ca ''
issue expired ca $here -not_before 20200101000000Z -not_after 20210101000000Z
issue future ca $here -not_before 20900101000000Z -not_after 20910101000000Z
issue unknown other $here
mkdir "$work/self" "$work/plain"
openssl req -x509 "${curve[@]}" -days 2 -keyout "$work/self/key.pem" -out "$work/self/cert.pem" -subj /CN=localhost -addext subjectAltName=$here 2>/dev/null
# Issued by a server's certificate, which is no authority.
cp "$work/good/cert.pem" "$work/good.pem"
cp "$work/good/key.pem" "$work/good.key"
issue by-server good $here
cat "$work/good/cert.pem" >>"$work/by-server/cert.pem"
issue client ca DNS:client
for behaviour in asks old closes endless; do
    cp -r "$work/good" "$work/$behaviour"
    echo $behaviour >"$work/$behaviour/behaviour"
done
# As a system has them: many others, and ours last.
cat /etc/ssl/certs/ca-certificates.crt "$work/ca.pem" >"$work/bundle.pem"

node test/native/ask/servers.mjs "$work" good wrong-name no-name expired future unknown self by-server plain asks old closes endless >"$work/ports" &
servers=$!
for _ in $(seq 300); do
    grep -q ready "$work/ports" && break
    sleep 0.1
done

asked() { # KIND HOST NAME [WORD]…: asks the server NAME; its answer
    local kind=$1 host=$2 port
    port=$(sed -n "s/^$3 //p" "$work/ports")
    shift 3
    printf 'HEAD / HTTP/1.1\r\nhost: me\r\nconnection: close\r\n\r\n' |
        timeout 40 "$work/ask" "$kind" "$host" "$port" "$@" 2>"$work/err"
}
number=0
report() { # STATUS DESCRIPTION
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
        sed 's/^/# /' "$work/err" | head -n 20
    fi
}
answers() { # DESCRIPTION FIRST-BYTE KIND HOST NAME [WORD]…
    local description=$1 first=$2 said status=0
    shift 2
    said=$(asked "$@") || status=1
    [[ $status = 0 && $said == "$first"HTTP/1.1\ 200* && $said == *'for me'* ]] || status=1
    report $status "$description"
}
# Nothing on standard output, status 1; and no word of a sanitizer.
silent() { # DESCRIPTION KIND HOST NAME [WORD]…
    local description=$1 said status=0
    shift
    said=$(asked "$@") || status=$?
    [[ $status = 1 && -z $said && ! -s $work/err ]]
    report $? "$description"
}

failed=0
ca=ca=$work/ca.pem
answers 'a host by its name' s tls localhost good "$ca"
answers 'a host by its address' s tls 127.0.0.1 good "$ca"
answers 'the authority is the last of a bundle' s tls localhost good "ca=$work/bundle.pem"
answers 'the authority is in the second file' s tls localhost good "ca=$work/other.pem" "$ca"
answers 'a self-signed certificate that is believed itself' s tls localhost self "ca=$work/self/cert.pem"
answers 'our own certificate is shown' s tls localhost asks "$ca" "cert=$work/client/cert.pem" "key=$work/client/key.pem"
answers 'an insecure registry with TLS' s either localhost self
answers 'an insecure registry without TLS' p either localhost plain
silent 'T21 a certificate for another name' tls localhost wrong-name "$ca"
silent 'T21 a certificate for another address' tls 127.0.0.1 wrong-name "$ca"
silent 'T21 a name that stands in the subject alone' tls localhost no-name "$ca"
silent 'T21 a certificate that has expired' tls localhost expired "$ca"
silent 'T21 a certificate that is not valid yet' tls localhost future "$ca"
silent 'T21 an authority that is not believed' tls localhost unknown "$ca"
silent 'T21 an authority that is not in the bundle' tls localhost unknown "ca=$work/bundle.pem"
silent 'T21 a self-signed certificate' tls localhost self "$ca"
silent 'T21 a certificate issued by what is no authority' tls localhost by-server "$ca"
silent 'T21 no TLS where it is wanted' tls localhost plain "$ca"
silent 'T21 TLS 1.1' tls localhost old "$ca"
silent 'T21 no authorities at all' tls localhost good
silent 'a file of authorities that is not there' tls localhost good "$ca" "ca=$work/absent.pem"
silent 'a file of authorities that is none' tls localhost good "ca=/usr/bin/node"
silent 'the server wants a certificate' tls localhost asks "$ca"
silent 'the server ends the connection' tls localhost closes "$ca"
silent 'T34 a head without an end' tls localhost endless "$ca"
silent 'nobody there' tls localhost nobody "$ca"
silent 'words that are none' tls localhost good "$ca" shell=1
printf 'x%.0s' $(seq 70000) >"$work/long"
"$work/ask" tls localhost "$(sed -n 's/^good //p' "$work/ports")" "$ca" <"$work/long" >"$work/out" 2>"$work/err"
[[ $? = 1 && ! -s $work/out && ! -s $work/err ]]
report $? 'a question that is too long'
echo "1..$number"
exit $failed
