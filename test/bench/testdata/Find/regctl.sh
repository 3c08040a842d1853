# regctl asks for one page and says nothing of the next: go on after the last tag.
last=
while page=$(regctl tag ls --limit 1000 --last "$last" "$REPO") && [[ -n $page ]]; do
  echo "$page"
  last=${page##*$'\n'}
done | next_candidate
