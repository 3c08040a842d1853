# regctl asks for one page and says nothing of the next: go on after the last tag of a full one.
last=
while page=$(regctl tag ls --limit 1000 ${last:+--last "$last"} "$REPO"); do
  echo "$page"
  (($(wc -l <<<"$page") == 1000)) || break
  last=${page##*$'\n'}
done | next_candidate
