package feeds

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
)

const plain = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Report a=\"1\">\n<Title>震度速報</Title>\n<Text>一行目\n  二行目 </Text><Serial/>\n</Report>\n"

func TestDigestOfOneTelegramByTwoPaths(t *testing.T) {
	want := Digest([]byte(plain))
	for name, other := range map[string]string{
		"byte order mark":         "\xef\xbb\xbf" + plain,
		"CR LF":                   strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR":                      strings.ReplaceAll(plain, "\n", "\r"),
		"no declaration":          plain[strings.Index(plain, "\n")+1:],
		"other declaration":       strings.Replace(plain, "UTF-8\"", "utf-8\" standalone=\"yes\"", 1),
		"indented":                strings.ReplaceAll(plain, ">\n<", ">\n\t\t<"),
		"in one line":             strings.ReplaceAll(plain, ">\n<", "><"),
		"blanks around":           "\n  " + plain + "\n\n",
		"all of it":               "\xef\xbb\xbf" + strings.ReplaceAll(strings.ReplaceAll(plain, ">\n<", "> \n <"), "\n", "\r\n"),
		"declaration, no newline": strings.Replace(plain, "?>\n", "?>", 1),
	} {
		if Digest([]byte(other)) != want {
			t.Errorf("%s: the digest differs", name)
		}
	}
}

func TestDigestTellsTelegramsApart(t *testing.T) {
	want := Digest([]byte(plain))
	for name, other := range map[string]string{
		"another word":       strings.Replace(plain, "震度速報", "震源速報", 1),
		"another attribute":  strings.Replace(plain, "a=\"1\"", "a=\"2\"", 1),
		"blanks in the text": strings.Replace(plain, "  二行目", "二行目", 1),
		"trailing blank":     strings.Replace(plain, "二行目 <", "二行目<", 1),
		"truncated":          plain[:len(plain)-12],
		"empty":              "",
	} {
		if Digest([]byte(other)) == want {
			t.Errorf("%s: the digest is the same", name)
		}
	}
}

func TestDigestOfGarbageIsOfItsBytes(t *testing.T) {
	for _, garbage := range []string{"", "   ", "hello  world", "\xff\xfe<Report/>", "<Report>\xff</Report>", "{\"a\": 1}\r\n"} {
		if Digest([]byte(garbage)) != sha256.Sum256([]byte(garbage)) {
			t.Errorf("%q is not hashed as it is", garbage)
		}
	}
}

func TestDigestLeavesTheBytesAlone(t *testing.T) {
	raw := []byte("\xef\xbb\xbf" + plain)
	before := bytes.Clone(raw)
	Digest(raw)
	if !bytes.Equal(raw, before) {
		t.Error("Digest changed its input")
	}
}

// FuzzDigest checks that the canonical text is a fixed point: what was made canonical once stays so.
func FuzzDigest(f *testing.F) {
	f.Add([]byte(plain))
	f.Add([]byte("\xef\xbb\xbf<a> <b/>\r\n</a>\r"))
	f.Add([]byte("<?xml?>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		once := canonical(raw)
		if bytes.HasPrefix(once, []byte("<")) && !bytes.HasPrefix(once, []byte("<?xml")) {
			if twice := canonical(once); !bytes.Equal(once, twice) {
				t.Errorf("canonical(%q) = %q, again %q", raw, once, twice)
			}
		}
	})
}
