// Package jalert reads 国民保護に関する情報 (missile and civil-protection notices) into desk.Telegram, from whichever of three doors
// they come: a text of Em-Net or an agency, an EDXL or CAP envelope, the form an operator fills in.
package jalert

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"
	"unicode/utf8"

	"yagura/feeds"
	"yagura/store/desk"
)

// MaxBytes is the largest notice that is read. Real ones are a page of text; an EDXL envelope is some kilobytes.
const MaxBytes = 256 << 10

// Data type codes of desk.Telegram.Type, one for each door.
const (
	TypeText  = "EMNET"  // a text of Em-Net or an agency
	TypeEDXL  = "EDXL"   // an EDXL-DE or CAP envelope
	TypeEntry = "MANUAL" // typed in at the desk
)

// Format is what a telegram looks like from outside, so that intake can choose the reader.
type Format string

// The formats Sniff tells apart.
const (
	FormatJMA     Format = "jma"     // 気象庁防災情報XML: feeds/jma
	FormatEDXL    Format = "edxl"    // EDXL-DE (also inside SOAP) or CAP: ParseEDXL, off by default
	FormatP2P     Format = "p2p"     // a JSON object of P2PQuake: feeds/p2pquake
	FormatEntry   Format = "entry"   // what an operator typed in (desk.MissileEntry): ParseEntry
	FormatText    Format = "text"    // anything that reads as text: ParseText
	FormatUnknown Format = "unknown" // empty, binary, an XML or JSON of another kind
)

// sniffed is how far Sniff looks: every envelope names itself well before that.
const sniffed = 4 << 10

// Sniff says by its beginning which reader a telegram is for. It never fails and never looks past the first 4 KiB.
//
// Other rooms may trust it to be exact for well-formed telegrams; a broken one is given to the reader its beginning promises, which
// then says in Japanese what is wrong.
func Sniff(raw []byte) Format {
	text := bytes.TrimLeft(feeds.TrimBOM(raw), " \t\r\n")
	text = text[:min(len(text), sniffed)]
	switch {
	case len(text) == 0:
		return FormatUnknown
	case text[0] == '<':
		return sniffXML(text)
	case text[0] == '{', text[0] == '[':
		return sniffJSON(text)
	case bytes.IndexByte(text, 0) >= 0:
		return FormatUnknown
	}
	return FormatText
}

// sniffXML goes by the local name of the root; SOAP is looked through, as Lアラート pushes its envelope in one.
func sniffXML(text []byte) Format {
	switch rootName(text) {
	case "Report":
		return FormatJMA
	case "EDXLDistribution", "alert":
		return FormatEDXL
	case "Envelope":
		if bytes.Contains(text, []byte("EDXLDistribution")) || bytes.Contains(text, []byte("soap.publiccommons.ne.jp")) {
			return FormatEDXL
		}
	}
	return FormatUnknown
}

// rootName is the local name of the first element, past declarations and comments; "" when there is none.
func rootName(text []byte) string {
	for {
		start := bytes.IndexByte(text, '<')
		if start < 0 || start+1 >= len(text) {
			return ""
		}
		text = text[start+1:]
		end := []byte(">")
		switch {
		case bytes.HasPrefix(text, []byte("!--")):
			end = []byte("-->")
		case text[0] == '?':
			end = []byte("?>")
		case text[0] == '!':
		default:
			name := text[:len(text)-len(bytes.TrimLeftFunc(text, isNameRune))]
			if colon := bytes.LastIndexByte(name, ':'); colon >= 0 {
				name = name[colon+1:]
			}
			return string(name)
		}
		stop := bytes.Index(text, end)
		if stop < 0 {
			return ""
		}
		text = text[stop+len(end):]
	}
}

func isNameRune(r rune) bool {
	return r == ':' || r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf
}

// sniffJSON: an entry says "mode", "phase" and "source"; a P2PQuake object bears a number "code", which may stand last, past what is
// looked at, and its reports an "issue" with "earthquake" or "areas".
func sniffJSON(text []byte) Format {
	has := func(name string) bool { return bytes.Contains(text, []byte(`"`+name+`"`)) }
	switch {
	case text[0] == '{' && has("mode") && has("phase") && has("source"):
		return FormatEntry
	case text[0] == '{' && (has("code") || has("issue") && (has("earthquake") || has("areas"))):
		return FormatP2P
	case text[0] == '[': // 【 is another character, but some texts head themselves with [訓練]
		if !bytes.ContainsAny(text, `{"`) {
			return FormatText
		}
	}
	return FormatUnknown
}

// echo is how long the same words count as the same notice. Shorter than the nine minutes between two launches of 2022-11-03.
const echo = 8 * time.Minute

// Digest is feeds.Digest for whatever bears a number or a time by its format. A bare text may come again word for word with the next
// launch, so the moment of receiving counts with it, in steps of eight minutes: an echo at the border is kept twice, which costs
// nothing; a second launch taken for the first would be lost (law 5).
func Digest(env desk.Envelope) [sha256.Size]byte {
	if Sniff(env.Raw) != FormatText {
		return feeds.Digest(env.Raw)
	}
	step := env.ReceivedAt.UTC().Truncate(echo).Format(time.RFC3339)
	return sha256.Sum256(append(slices.Clone(env.Raw), "\x00"+step...))
}

// telegram is a desk.Telegram with nothing but its envelope.
func telegram(env desk.Envelope) desk.Telegram {
	return desk.Telegram{Envelope: env, Digest: Digest(env)}
}
