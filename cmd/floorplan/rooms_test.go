package floorplan

import "strings"

// room is one line of the drawing: what a package may import of ours, and which foreign modules.
// A blank separates names; a trailing /* means every room below, a lone * everything.
type room struct{ path, ours, foreign string }

// rooms is design §1, one line a room. A room that does not exist yet is fine; a folder that is not here is not.
var rooms = []room{
	{"store/desk", "", ""},
	{"store/schema", "store/desk", pgx + " " + goose},
	{"store", "store/desk store/schema", pgx},
	{"store/cluster", "store/desk", ""}, // desk for its errors only

	{"feeds", "store/desk", text},
	{"feeds/jma", "feeds store/desk", text},
	{"feeds/dmdata", "feeds feeds/jma store/desk", websocket},
	{"feeds/p2pquake", "feeds feeds/jma store/desk", websocket},
	{"feeds/jalert", "feeds store/desk", text},
	{"feeds/line", "feeds feeds/jma store/desk", ""},
	{"feeds/overseas", "feeds store/desk", text},
	{"feeds/replay", "feeds store/desk", text},

	{"engine/rules", "store/desk", ""},
	{"engine/compose", "store/desk", message + " " + msgauth + " " + pkcs7 + " " + text},
	{"engine/route", "store/desk", smtp},
	{"engine/intake", "feeds feeds/jma feeds/p2pquake feeds/jalert engine/rules store store/desk", sync},
	{"engine/bulletin", "engine/rules store store/desk", sync},
	{"engine/dispatch", "engine/rules store store/desk", sync},
	{"engine/overseas", "store store/desk", sync},
	{"engine/roster", "store store/desk", sync + " " + text},
	{"engine/send", "engine/compose engine/route store store/desk", sync},
	{"engine/bounce", "store store/desk", smtp + " " + message + " " + sync},
	{"engine/tally", "store store/desk", sync},
	{"engine/watch", "engine/rules store store/desk", sync + " " + prometheus},
	{"engine/web", "store/desk", text + " " + netutil},
	{"engine/web/answer", "engine/web store store/desk", sync},
	{"engine/web/admin", "engine/web store store/desk", sync + " " + webauthn + " " + otp + " " + argon2id + " " + qr},
	{"engine", "feeds/* engine/* feeds store store/desk", sync + " " + prometheus},

	{"tui/ui", "store/desk", charm + " " + text},
	{"tui/sshd", "tui store/desk", charm + " " + wish + " " + sync + " " + xcrypto},
	{"tui", "tui/* store/desk", charm},

	{"cmd/console", "tui tui/sshd store store/schema store/desk store/cluster", kong + " " + sync + " " + xcrypto},
	{"cmd/engine", "engine engine/* feeds feeds/* store store/schema store/desk store/cluster", kong + " " + sync},
	{"cmd/ctl", "feeds feeds/* store store/schema store/desk store/cluster", kong + " " + xcrypto},
	{
		"cmd/sim", "feeds feeds/jma feeds/replay store store/schema store/desk store/cluster " +
			"engine/route engine/compose engine/send engine/dispatch engine/tally engine/web/answer",
		kong + " " + smtp + " " + message + " " + msgauth + " " + sync + " " + xcrypto + " " + terminal + " " + html,
	},
	{"cmd/story", "*", "*"},
	{"cmd/floorplan", "", ""},
}

// rehearsals are what the tests of a room may use beside what the room itself may.
var rehearsals = map[string]string{
	"engine/intake": "feeds/replay", // whole nights, telegram by telegram
}

// screen is the line of every tui/inbox, tui/verify, … (never 6 keeps them apart).
var screen = room{"tui/…", "tui/ui store/desk", charm}

const (
	pgx        = "github.com/jackc/pgx"
	goose      = "github.com/pressly/goose"
	smtp       = "github.com/emersion/go-smtp github.com/emersion/go-sasl"
	message    = "github.com/emersion/go-message"
	msgauth    = "github.com/emersion/go-msgauth"
	pkcs7      = "github.com/smallstep/pkcs7"
	websocket  = "github.com/coder/websocket"
	webauthn   = "github.com/go-webauthn"
	otp        = "github.com/pquerna/otp"
	argon2id   = "github.com/alexedwards/argon2id"
	qr         = "rsc.io/qr"
	kong       = "github.com/alecthomas/kong"
	prometheus = "github.com/prometheus/client_golang"
	terminal   = "github.com/creack/pty golang.org/x/term github.com/charmbracelet/x/term"
	sync       = "golang.org/x/sync"
	text       = "golang.org/x/text"
	netutil    = "golang.org/x/net/netutil"
	html       = "golang.org/x/net/html"
	xcrypto    = "golang.org/x/crypto"
	wish       = "charm.land/wish charm.land/ssh github.com/charmbracelet/ssh github.com/charmbracelet/wish"
	charm      = "charm.land/bubbletea charm.land/bubbles charm.land/lipgloss github.com/charmbracelet/x " +
		"github.com/charmbracelet/colorprofile github.com/rivo/uniseg github.com/mattn/go-runewidth github.com/clipperhouse"
	anyCharm = "charm.land github.com/charmbracelet"
)

// services are the engine's hands: none imports another (never 6).
const services = "engine/intake engine/bulletin engine/dispatch engine/overseas engine/roster engine/send engine/bounce " +
	"engine/tally engine/watch engine/web/answer engine/web/admin"

// ban is one of the ten Nevers: the files in who never import any of what.
type ban struct {
	rule        string
	who, except string
	what        string
	testsToo    bool
}

var bans = []ban{
	{"never 2", "tui tui/*", "", "store store/schema store/cluster store/storetest engine engine/* feeds feeds/* " + pgx + " " + smtp, true},
	{"never 2", "tui tui/*", "", "net/http", false},
	{"never 2", "engine engine/*", "", "tui tui/* " + anyCharm, true},
	{"never 3", "feeds feeds/*", "", "store store/schema store/cluster store/storetest engine engine/* " + pgx, true},
	{"never 4", "engine/rules engine/compose", "", "store net net/http net/smtp os os/exec os/signal os/user", false},
	{"never 5", "*", "store store/*", pgx, true},
	{"never 5", "*", "engine/route engine/bounce cmd/sim cmd/sim/*", smtp, false},
	{"never 5", "*", "tui/sshd", wish, false},
	{"never 6", services, "", services, true},
	{"never 7", "*", "engine cmd/engine cmd/story", "engine/overseas", true},
	{"never 7", "*", "engine engine/overseas feeds cmd/engine cmd/ctl cmd/story", "feeds/overseas", true},
	{"never 7", "*", "tui cmd/story", "tui/overseas", true},
	{"house", "cmd/console cmd/console/*", "", "engine engine/*", true},
	{"house", "cmd/engine cmd/engine/*", "", "tui tui/*", true},
}

// badNames say nothing about what is inside (never 10).
const badNames = "util utils common helper helpers types manager managers misc"

// roomOf finds the line of the drawing for a folder: its own, or that of all screens, or that of the program it is part of.
func roomOf(dir string) (room, bool) {
	for _, r := range rooms {
		if r.path == dir {
			if strings.HasPrefix(dir, "cmd/") {
				r.ours += " " + dir + "/*"
			}
			return r, true
		}
	}
	parent, _, _ := cutLast(dir)
	if parent == "tui" {
		return screen, true
	}
	if below, ok := strings.CutPrefix(parent, "cmd/"); ok { // a part of a program
		program, _, _ := strings.Cut(below, "/")
		return roomOf("cmd/" + program)
	}
	return room{}, false
}

// isDouble reports whether a folder is a test double: it stands beside what it doubles and is called after it.
func isDouble(dir string) bool {
	parent, name, _ := cutLast(dir)
	_, inTable := roomOf(parent)
	return inTable && strings.HasSuffix(name, "test")
}

func cutLast(dir string) (before, after string, found bool) {
	i := strings.LastIndexByte(dir, '/')
	if i < 0 {
		return "", dir, false
	}
	return dir[:i], dir[i+1:], true
}

// within reports whether an import path or folder is named by a list: itself, a part of a module, or below a trailing /*.
func within(list, path string) bool {
	for _, entry := range strings.Fields(list) {
		below, star := strings.CutSuffix(entry, "*")
		switch {
		case entry == path, star && strings.HasPrefix(path, below):
			return true
		case !star && isForeign(entry) && strings.HasPrefix(path, entry+"/"):
			return true
		}
	}
	return false
}

// isForeign tells a module (its first part has a dot) from the standard library and from our own rooms.
func isForeign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}
