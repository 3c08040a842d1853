package vendors

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// listing is a tag list's body.
type listing struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

// imageListing is Google's.
type imageListing struct {
	Child    []string                `json:"child"`
	Manifest map[digest.Digest]image `json:"manifest"`
	listing
}

// image is an entry of Google's map.
type image struct {
	Size      string   `json:"imageSizeBytes"`
	MediaType string   `json:"mediaType"`
	Tags      []string `json:"tag"`
	Created   string   `json:"timeCreatedMs"`
	Uploaded  string   `json:"timeUploadedMs"`
}

func (g *Registry) listTags(w http.ResponseWriter, r request) {
	repo := g.repos[r.repo]
	if repo == nil || len(repo.manifests) == 0 && !g.vendor.List.Empty {
		g.answer(w, r, g.vendor.NewList.or(plain.newList))
		return
	}
	page, query := g.vendor.Page, r.URL.Query()
	n := page.Unasked
	if asked, err := strconv.Atoi(query.Get("n")); err == nil {
		n = asked
	}
	if page.Cap > 0 && n > page.Cap {
		if page.Above.Status != 0 {
			g.answer(w, r, page.Above)
			return
		}
		n = page.Cap
	}
	tags, more := cut(g.after(repo, query.Get("last")), n)
	if more {
		g.link(w, r, tags[len(tags)-1], n)
	}
	var said any = listing{r.repo, tags}
	if g.vendor.List.Images {
		said = imageListing{[]string{}, repo.images(), listing{r.repo, tags}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said)
}

// after is the tags behind one, in the vendor's order; all behind none.
func (g *Registry) after(repo *repository, last string) []string {
	tags := make([]string, 0, len(repo.tags))
	for tag := range repo.tags {
		tags = append(tags, tag)
	}
	order := strings.Compare
	if g.vendor.List.Unsorted {
		order = func(a, b string) int {
			x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
			return slices.Compare(x[:], y[:])
		}
	}
	slices.SortFunc(tags, order)
	if last == "" {
		return tags
	}
	i, found := slices.BinarySearchFunc(tags, last, order)
	if found {
		i++
	}
	return tags[i:]
}

// cut leaves n, or all for 0.
func cut(tags []string, n int) (page []string, more bool) {
	if n <= 0 || n >= len(tags) {
		return tags, false
	}
	return tags[:n], true
}

func (g *Registry) link(w http.ResponseWriter, r request, last string, n int) {
	path := "/v2/" + r.repo + tagList
	switch g.vendor.Link.Form {
	case NoLink:
		return
	case AbsoluteLink:
		path = "http://" + r.Host + path
	case OtherPath:
		_, rest, _ := strings.Cut(r.repo, "/")
		path = "/v2/" + rest + tagList
	case PathLink:
	}
	query := url.Values{"last": {last}, "n": {strconv.Itoa(n)}}
	w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, path, query.Encode()))
}

func (r *repository) images() map[digest.Digest]image {
	images := map[digest.Digest]image{}
	for id, m := range r.manifests {
		images[id] = image{strconv.Itoa(len(m.body)), m.mediaType, []string{}, "1767225600000", "1767225601000"}
	}
	for tag, id := range r.tags {
		entry := images[id]
		entry.Tags = append(entry.Tags, tag)
		slices.SortFunc(entry.Tags, cmp.Compare[string])
		images[id] = entry
	}
	return images
}
