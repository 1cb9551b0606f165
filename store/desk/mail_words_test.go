package desk

import "testing"

func TestQuoteMailbox(t *testing.T) {
	for given, want := range map[string]string{
		"taro@a.example":          "taro@a.example",
		"a..b@docomo.example":     `"a..b"@docomo.example`,
		"a.@au.example":           `"a."@au.example`,
		".a@au.example":           `".a"@au.example`,
		"-a_+b-@docomo.example":   "-a_+b-@docomo.example", // an atom may begin with a hyphen
		`"a..b"@docomo.example`:   `"a..b"@docomo.example`,
		`a"b\c@x.example`:         `"a\"b\\c"@x.example`,
		"a,b@x.example":           `"a,b"@x.example`,
		"a@b@x.example":           `"a@b"@x.example`,
		"@x.example":              `""@x.example`,
		"no mailbox":              "no mailbox",
		"b-12.345@bounce.example": "b-12.345@bounce.example",
	} {
		if got := QuoteMailbox(given); got != want {
			t.Errorf("QuoteMailbox(%q) = %q, want %q", given, got, want)
		}
	}
}
