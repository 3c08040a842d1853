package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
)

// describe prints the machine and the versions of what runs on it, as lines that benchstat takes for configuration.
func describe() {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	fmt.Printf("machine-cores: %d\n", runtime.NumCPU())
	fmt.Printf("machine-kernel: %s %s\n", runtime.GOOS, strings.TrimSpace(string(kernel)))
	fmt.Printf("machine-go: %s\n", strings.TrimPrefix(runtime.Version(), "go"))
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/fluxcd/pkg/oci", "github.com/distribution/distribution/v3":
				fmt.Printf("machine-%s: %s\n", strings.TrimPrefix(d.Path, "github.com/"), d.Version)
			}
		}
	}
	fmt.Printf("machine-%s: oci-promote at %.7s\n", Before, beforeCommit)
	version := regexp.MustCompile(`v?[0-9]+(\.[0-9]+)+`)
	for _, tool := range [][]string{
		{"crane", "version"}, {"oras", "version"}, {"regctl", "version"}, {"tar", "--version"}, {"gzip", "--version"}, {"pigz", "--version"},
	} {
		said, err := exec.Command(tool[0], tool[1:]...).CombinedOutput()
		if err != nil {
			fmt.Printf("machine-%s: not installed\n", tool[0])
			continue
		}
		fmt.Printf("machine-%s: %s\n", tool[0], version.FindString(string(said)))
	}
}
