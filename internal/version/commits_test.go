package version

import "testing"

func TestBumpOf(t *testing.T) {
	tests := []struct {
		name, message string
		want          Bump
		conventional  bool
	}{
		{"feature", "feat: serve metrics", Minor, true},
		{"feature in capitals", "FEAT: serve metrics", Minor, true},
		{"feature with scope", "feat(ingress): serve metrics", Minor, true},
		{"scope with spaces and signs", "feat(ingress, apps/web): serve metrics", Minor, true},
		{"fix", "fix: close the port", Patch, true},
		{"fix with scope", "fix(ingress): close the port", Patch, true},
		{"any other type", "chore: tidy", Patch, true},
		{"a type that begins with feat", "feature: serve metrics", Patch, true},
		{"breaking feature", "feat!: new names", Major, true},
		{"breaking with scope", "fix(apps)!: new names", Major, true},
		{"breaking chore", "chore!: drop Kubernetes 1.30", Major, true},
		{"footer", "fix: new names\n\nBREAKING CHANGE: the old ones are gone", Major, true},
		{"footer with hyphen", "fix: new names\n\nBREAKING-CHANGE: the old ones are gone", Major, true},
		{"footer after a body", "fix: new names\n\nThey are shorter.\n\nReviewed-by: Z\nBREAKING CHANGE: the old ones are gone\n", Major, true},
		{"footer with Windows line ends", "fix: new names\r\n\r\nBREAKING CHANGE: the old ones are gone\r\n", Major, true},
		{"footer in lower case is none", "fix: new names\n\nbreaking change: the old ones are gone", Patch, true},
		{"footer in mixed case is none", "feat: new names\n\nBreaking Change: the old ones are gone", Minor, true},
		{"footer that does not begin a line", "fix: new names\n\nthis is no BREAKING CHANGE: promised", Patch, true},
		{"footer without a text", "fix: new names\n\nBREAKING CHANGE:", Patch, true},
		{"the words without a colon", "fix: new names\n\nBREAKING CHANGE ahead", Patch, true},
		{"footer under no header", "Rename all\n\nBREAKING CHANGE: the old ones are gone", Patch, false},
		{"merge commit", "Merge pull request #12 from acme/feat\n\nfeat: serve metrics", Patch, false},
		{"merge of a branch", "Merge branch 'main' into feat", Patch, false},
		{"revert by git", "Revert \"feat: serve metrics\"\n\nThis reverts commit 0123456.", Patch, false},
		{"revert by convention", "revert: feat: serve metrics", Patch, true},
		{"plain words", "Serve metrics", Patch, false},
		{"no space after the colon", "feat:serve metrics", Patch, false},
		{"no text", "feat: ", Patch, false},
		{"text on the next line", "feat:\nserve metrics", Patch, false},
		{"space before the colon", "feat : serve metrics", Patch, false},
		{"bang before the scope", "feat!(apps): new names", Patch, false},
		{"scope over two lines", "feat(a\nb): serve metrics", Patch, false},
		{"scope in a scope", "feat((a)): serve metrics", Patch, false},
		{"type with digits", "feat2: serve metrics", Patch, false},
		{"feat on the second line", "Serve metrics\n\nfeat: serve metrics", Patch, false},
		{"a URL", "https://example.com/feat", Patch, false},
		{"spaces around", "\n  feat: serve metrics\n", Minor, true},
		{"empty", "", Patch, false},
		{"only spaces", " \n\t\n", Patch, false},
		{"invalid UTF-8", "feat: \xff\xfe", Minor, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, conventional := BumpOf(test.message)
			if got != test.want || conventional != test.conventional {
				t.Errorf("got %s, %v; want %s, %v", got, conventional, test.want, test.conventional)
			}
		})
	}
}

func TestBump(t *testing.T) {
	tests := []struct {
		bump Bump
		name string
		want Stable
	}{
		{Patch, "patch", Stable{1, 2, 4}},
		{Minor, "minor", Stable{1, 3, 0}},
		{Major, "major", Stable{2, 0, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := (Stable{1, 2, 3}).Bump(test.bump); got != test.want || test.bump.String() != test.name {
				t.Errorf("%s: got %s, want %s", test.bump, got, test.want)
			}
		})
	}
	if Patch >= Minor || Minor >= Major {
		t.Error("the larger of two bumps is not their maximum")
	}
}
