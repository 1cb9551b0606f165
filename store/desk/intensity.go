package desk

import (
	"encoding/json"
	"fmt"
)

// Intensity is 震度階級, in order of strength, so that < and > compare as people do (text order would put 5- after 5+).
type Intensity uint8

const (
	IntensityUnknown Intensity = iota // 不明, or none given
	Intensity0
	Intensity1
	Intensity2
	Intensity3
	Intensity4
	Intensity5Lower // 5弱
	Intensity5Upper // 5強
	Intensity6Lower // 6弱
	Intensity6Upper // 6強
	Intensity7
)

var intensityCodes = [...]string{"", "0", "1", "2", "3", "4", "5-", "5+", "6-", "6+", "7"}

var intensityNames = [...]string{"不明", "0", "1", "2", "3", "4", "5弱", "5強", "6弱", "6強", "7"}

// ParseIntensity reads the JMA code ("1"…"4", "5-", "5+", "6-", "6+", "7"). Everything else is unknown.
func ParseIntensity(code string) Intensity {
	for i, c := range intensityCodes {
		if c != "" && c == code {
			return Intensity(i)
		}
	}
	return IntensityUnknown
}

// String is the JMA code; "" when unknown.
func (i Intensity) String() string {
	if int(i) < len(intensityCodes) {
		return intensityCodes[i]
	}
	return fmt.Sprintf("Intensity(%d)", uint8(i))
}

// Japanese is the name on screens and in mails, without the word 震度: "6強".
func (i Intensity) Japanese() string {
	if int(i) < len(intensityNames) {
		return intensityNames[i]
	}
	return "不明"
}

// MarshalText writes the JMA code.
func (i Intensity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the JMA code; "" is unknown, anything else unknown is Invalid.
func (i *Intensity) UnmarshalText(b []byte) error {
	*i = ParseIntensity(string(b))
	if *i == IntensityUnknown && len(b) > 0 {
		return Errorf(Invalid, "Intensity.UnmarshalText", "震度 %q は読めません。", string(b))
	}
	return nil
}

// MarshalJSON writes null when unknown, else the JMA code.
func (i Intensity) MarshalJSON() ([]byte, error) {
	if i == IntensityUnknown {
		return []byte("null"), nil
	}
	return json.Marshal(i.String())
}

// UnmarshalJSON reads null or the JMA code.
func (i *Intensity) UnmarshalJSON(b []byte) error {
	var code *string
	if err := json.Unmarshal(b, &code); err != nil {
		return err
	}
	if code == nil {
		*i = IntensityUnknown
		return nil
	}
	return i.UnmarshalText([]byte(*code))
}
