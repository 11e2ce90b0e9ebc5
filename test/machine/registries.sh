# Debian's docker-registry on loopback, for the tests that source this after lib.sh. Both show the same store: team/busybox:1 and :2.
#   begin_registries   127.0.0.1:5443: TLS, user me, password "se cret" (htpasswd); 127.0.0.1:5444: TLS, tokens of a front on 5445
#   end_registries
# The authority is $REGISTRY_CA; it is in certs.d of neither account nor system.
# shellcheck shell=bash
REGISTRY_DIR=$WORK/registries
REGISTRY_CA=$REGISTRY_DIR/ca.crt
registry_pids=()

begin_registries() {
    mkdir -p "$REGISTRY_DIR"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout "$REGISTRY_DIR/key.pem" \
        -out "$REGISTRY_CA" -subj /CN=registry -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    # bcrypt, as htpasswd -B makes it
    perl -e 'print "me:", crypt("se cret", "\$2y\$05\$" . "registrysaltregistrysA"), "\n"' >"$REGISTRY_DIR/htpasswd"
    registry_config 5443 "htpasswd: {realm: test, path: $REGISTRY_DIR/htpasswd}" >"$REGISTRY_DIR/password.yml"
    registry_config 5444 "token: {realm: 'https://127.0.0.1:5445/token', service: registry, issuer: front, rootcertbundle: $REGISTRY_CA}" \
        >"$REGISTRY_DIR/token.yml"
    : >"$REGISTRY_DIR/front.log"
    node "$TESTS/registry-front.mjs" 5445 "$REGISTRY_CA" "$REGISTRY_DIR/key.pem" me 'se cret' "$REGISTRY_DIR/front.log" >"$REGISTRY_DIR/front.out" 2>&1 &
    registry_pids+=($!)
    local name
    for name in password token; do
        docker-registry serve "$REGISTRY_DIR/$name.yml" >"$REGISTRY_DIR/$name.log" 2>&1 &
        registry_pids+=($!)
    done
    for name in 5443 5444 5445; do listening $name; done
    fill_registries
}

registry_config() { # PORT AUTH
    cat <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $REGISTRY_DIR/data}, delete: {enabled: true}}
http: {addr: '127.0.0.1:$1', secret: x, tls: {certificate: $REGISTRY_CA, key: $REGISTRY_DIR/key.pem}}
auth: {$2}
YAML
}

# curl waits for the port by itself.
listening() { # PORT
    curl -sk --retry 60 --retry-connrefused --retry-delay 1 -o /dev/null "https://127.0.0.1:$1/"
}

fill_registries() {
    local tag
    for tag in 1 2; do
        skopeo --insecure-policy copy -q --dest-creds 'me:se cret' --dest-cert-dir "$REGISTRY_DIR" "docker-archive:$IMAGES/busybox.tar" \
            "docker://127.0.0.1:5443/team/busybox:$tag"
    done
}

end_registries() {
    [ ${#registry_pids[@]} = 0 ] || kill "${registry_pids[@]}" 2>/dev/null
    wait "${registry_pids[@]}" 2>/dev/null
    registry_pids=()
}
