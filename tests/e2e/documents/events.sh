# A relay that runs, some events in its queue, and a delivery that was recorded.
labelrelay serve
for event in {label,annotation,task}.created{,,,} annotation.updated; do
  labelrelay send --event "$event" >sent 2>&1 || { cat sent >&2; exit 1; }
done
printf '{"id":"1"}' >body.bin
SIGNATURE="sha1=$(openssl dgst -sha1 -hmac "$(cat .labelrelay/labelbox.secret)" -r body.bin | cut -d ' ' -f 1)"
{ printf 'POST /labelbox HTTP/1.1\r\nX-Hub-Signature: %s\r\nContent-Length: 10\r\n\r\n' "$SIGNATURE"; cat body.bin; } >recorded.http

