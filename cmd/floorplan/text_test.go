package floorplan

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// topLevel are the names the owner fixed (design §1); dot files stand beside them, and git ignores the rest.
const (
	topLevel = "cmd tui engine store feeds deploy Makefile go.mod go.sum README.md LICENSE CHANGELOG.md"
	ignored  = "bin var"
)

// knownHosts may be named: places of examples, namespaces that are names and not addresses, and documents cited.
const knownHosts = "localhost 127.0.0.1 0.0.0.0 ::1 xml.kishou.go.jp www.w3.org " +
	"www.jma.go.jp www.data.jma.go.jp www.rfc-editor.org datatracker.ietf.org docs.oasis-open.org go.dev pkg.go.dev"

// feedHosts are the sources themselves: their addresses are the product, in the rooms that receive from them.
var feedHosts = map[string]string{
	"feeds/dmdata":   "api.dmdata.jp ws.api.dmdata.jp",
	"feeds/p2pquake": "api.p2pquake.net",
	"feeds/overseas": "www.ezairyu.mofa.go.jp www.anzen.mofa.go.jp www.gdacs.org earthquake.usgs.gov",
}

var (
	address = regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://([^/\s"'` + "`" + `)<>\\,;、。]+)`)
	mailbox = regexp.MustCompile(`[A-Za-z0-9._%+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})\b`)
	homely  = regexp.MustCompile(`(?:^|[^A-Za-z0-9_.}*])(?:/work/[a-z]|/root/|/home/[a-z]|/Users/[A-Za-z])`)
	secret  = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE` + ` KEY-----`)
	token40 = regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16})\b`)
)

func checkTop(t *tree) []finding {
	var found []finding
	for _, name := range t.top {
		if strings.HasPrefix(name, ".") || within(topLevel, name) || within(ignored, name) || !readable(name) {
			continue
		}
		found = append(found, finding{"top level", name, 1, "the owner fixed the names at the top level"})
	}
	return found
}

// checkHosts: no file names a host of somebody else: nothing may be fetched from, or mailed to, by accident.
func checkHosts(t *tree) []finding {
	var found []finding
	for _, p := range slices.Sorted(maps.Keys(t.text)) {
		for n, line := range bytes.Split(t.text[p], []byte("\n")) {
			for _, m := range address.FindAllSubmatch(line, -1) {
				host := hostOf(string(m[1]))
				if !allowedHost(host) && !within(feedHosts[path.Dir(p)], host) {
					found = append(found, finding{"host", p, n + 1, "names the host " + host})
				}
			}
			if path.Ext(p) == ".md" {
				continue // module@version and the like
			}
			for _, m := range mailbox.FindAllSubmatch(line, -1) {
				if host := string(m[1]); !allowedHost(host) {
					found = append(found, finding{"host", p, n + 1, "names a mail address at " + host})
				}
			}
		}
	}
	return found
}

// hostOf strips user, password and port.
func hostOf(authority string) string {
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if strings.HasPrefix(authority, "[") {
		host, _, _ := strings.Cut(authority[1:], "]")
		return host
	}
	host, _, _ := strings.Cut(authority, ":")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func allowedHost(host string) bool {
	if host == "" || strings.ContainsAny(host, "%{}$*+?[]|()=&…") || within(knownHosts, host) {
		return true // a pattern or a template names nobody
	}
	if !strings.Contains(host, ".") {
		return true // a name without a dot reaches nobody outside
	}
	for _, net := range []string{"127.", "192.0.2.", "198.51.100.", "203.0.113."} { // loopback; documentation, RFC 5737
		if strings.HasPrefix(host, net) {
			return true
		}
	}
	for _, reserved := range []string{"example", "invalid", "test", "localhost", "example.com", "example.jp", "example.org", "example.net"} {
		if host == reserved || strings.HasSuffix(host, "."+reserved) { // RFC 2606, RFC 6761; example.jp by JPRS
			return true
		}
	}
	return false
}

// checkSecrets: no private key, no token, no path of one person's machine.
func checkSecrets(t *tree) []finding {
	var found []finding
	for _, p := range slices.Sorted(maps.Keys(t.text)) {
		for n, line := range bytes.Split(t.text[p], []byte("\n")) {
			if secret.Match(line) || token40.Match(line) {
				found = append(found, finding{"secret", p, n + 1, "looks like a key"})
			}
			if homely.Match(line) && !strings.HasPrefix(p, "cmd/floorplan/") {
				found = append(found, finding{"machine path", p, n + 1, "names a folder of one machine"})
			}
		}
	}
	return found
}
