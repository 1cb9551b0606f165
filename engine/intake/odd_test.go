package intake

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

var controlTitle = regexp.MustCompile(`<Title>[^<]*</Title>`)

// TestAnUnknownTitleIsShown: a well-formed telegram of a kind this build does not know is a line of the inbox. // law 1
func TestAnUnknownTitleIsShown(t *testing.T) {
	env := scenario(t, "noto")[0]
	first := controlTitle.FindIndex(env.Raw) // Control stands before Head
	env.Raw = slices.Concat(env.Raw[:first[0]], []byte("<Title>宇宙天気に関する情報</Title>"), env.Raw[first[1]:])
	env.Name = "x.xml"
	st, in := playAll(t, storetest.New(t), []desk.Envelope{env})
	items, err := st.Inbox(t.Context(), 10)
	if err != nil || len(items) != 1 || items[0].Unreadable || in.Counts().Judged != 1 {
		t.Fatalf("%d items, %+v, %v", len(items), in.Counts(), err)
	}
	i := slices.IndexFunc(items[0].Advice.Checks, func(c desk.Check) bool { return c.Code == desk.CheckSurprise })
	if i < 0 || items[0].Advice.Grade == desk.GradeInfo {
		t.Errorf("grade %d, %+v", items[0].Advice.Grade, items[0].Advice.Checks)
	}
}

// TestTheSameNumberByTwoPathsWithOtherContent: the desk is told when two paths do not agree on a telegram. // feeds.md 3.4
func TestTheSameNumberByTwoPathsWithOtherContent(t *testing.T) {
	envs := scenario(t, "noto")
	i := slices.IndexFunc(envs, func(e desk.Envelope) bool { return bytes.Contains(e.Raw, []byte("<Title>震度速報</Title>")) })
	other := envs[i]
	other.Feed, other.ReceivedAt = "line-http", other.ReceivedAt.Add(time.Second)
	text := bytes.Index(other.Raw, []byte("<Text>"))
	other.Raw = slices.Concat(other.Raw[:text+len("<Text>")], []byte("誰かが書き換えた文。"), other.Raw[text+len("<Text>"):])
	st, _ := playAll(t, storetest.New(t), []desk.Envelope{envs[i], other})
	items, err := st.Inbox(t.Context(), 10)
	if err != nil || len(items) != 1 || items[0].Event.Telegrams != 2 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	first := items[0].Advice.Checks[0]
	if first.Code != desk.CheckSameKey || first.Result != desk.Contradicts || !strings.Contains(first.Detail, "line-http") {
		t.Errorf("%+v", items[0].Advice.Checks)
	}
}

// TestWeatherBelowAWarningSparesTheDesk: an advisory makes no line but is read and kept; the lifting of a warning reaches its event.
func TestWeatherBelowAWarningSparesTheDesk(t *testing.T) {
	telegram := func(name, kind, status string, after time.Duration) desk.Envelope {
		at := storetest.Noto.Add(after)
		raw := `<?xml version="1.0" encoding="UTF-8"?><Report xmlns="http://xml.kishou.go.jp/jmaxml1/"><Control><Title>気象警報・注意報（Ｒ０６）（大雨）</Title><DateTime>` +
			at.UTC().Format(time.RFC3339) + `</DateTime><Status>通常</Status><EditorialOffice>山形地方気象台</EditorialOffice><PublishingOffice>山形地方気象台</PublishingOffice></Control>` +
			`<Head xmlns="http://xml.kishou.go.jp/jmaxml1/informationBasis1/"><Title>山形県気象警報・注意報</Title><ReportDateTime>` + at.In(desk.JST).Format(time.RFC3339) +
			`</ReportDateTime><TargetDateTime>` + at.In(desk.JST).Format(time.RFC3339) + `</TargetDateTime><EventID/><InfoType>発表</InfoType><Serial/><InfoKind>気象警報・注意報</InfoKind>` +
			`<InfoKindVersion>1.5_0</InfoKindVersion><Headline><Text>山形県の情報です。</Text></Headline></Head>` +
			`<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/meteorology1/"><Warning type="気象警報・注意報（府県予報区等）"><Item><Kind><Name>` + name + `</Name><Code>` + kind +
			`</Code><Status>` + status + `</Status></Kind><Area><Name>山形県</Name><Code>060000</Code></Area></Item></Warning></Body></Report>`
		return desk.Envelope{Feed: "jma-pull", Name: "VPWW55.xml", Raw: []byte(raw), ReceivedAt: at.Add(20 * time.Second)}
	}
	advisory := telegram("レベル２大雨注意報", "10", "発表", 0)
	db := storetest.New(t)
	st, in := playAll(t, db, []desk.Envelope{advisory})
	items, err := st.Inbox(t.Context(), 10)
	if err != nil || len(items) != 0 || in.Counts().Judged != 1 {
		t.Fatalf("%d items, %+v, %v", len(items), in.Counts(), err)
	}
	kept, err := st.ReadingsNear(t.Context(), []string{"VPWW55"}, storetest.Noto.Add(-time.Hour), storetest.Noto.Add(time.Hour))
	if err != nil || len(kept) != 1 || kept[0].Level != desk.LevelAdvisory {
		t.Errorf("kept = %+v, %v", kept, err)
	}
	all := []desk.Envelope{
		advisory, telegram("レベル５大雨特別警報", "33", "発表", 3*time.Hour), telegram("レベル２大雨注意報", "10", "特別警報から注意報", 20*time.Hour),
		telegram("レベル５大雨特別警報", "33", "発表", 90*time.Hour),
	}
	st, _ = playAll(t, storetest.New(t), all)
	if items, err = st.Inbox(t.Context(), 10); err != nil || len(items) != 2 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	if now, before := items[0], items[1]; now.Event.Title != "山形県 レベル５大雨特別警報" || now.Advice.Grade != desk.GradeAlarm ||
		before.Event.Telegrams != 2 || before.Event.Title != "山形県 レベル２大雨注意報" || before.Advice.Grade != desk.GradeInfo {
		t.Errorf("%q %d and %q %d", now.Event.Title, now.Advice.Grade, before.Event.Title, before.Advice.Grade)
	}
}
