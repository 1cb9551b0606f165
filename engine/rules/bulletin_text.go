package rules

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"yagura/store/desk"
)

const (
	longestSubject  = 40   // characters: what a phone shows of a subject (field.md 6.3)
	longestBody     = 5000 // characters; compose takes 20,000 bytes
	mostNames       = 60   // area names of one group
	mostDifferences = 40
)

// bulletinSubject says everything in one line, e.g. 【地震速報】石川県能登地方 最大震度7（16:10頃）.
func bulletinSubject(b *desk.Bulletin, n *news, before *desk.Bulletin) string {
	head := "【" + b.Kind.Japanese() + "】"
	middle := joined([]string{n.place, n.what})
	switch b.Step {
	case desk.BulletinChanged:
		head = fmt.Sprintf("【%s 第%d報】", b.Kind.Japanese(), b.Number)
	case desk.BulletinCorrected:
		head = "【訂正】" + head
	case desk.BulletinWithdrawn:
		head, middle = "【取消】"+head, middleOf(before.Subject)
	case desk.BulletinLifted:
		if head, middle = "【解除】"+head, middleOf(before.Subject); n.fell { // something milder goes on: it is not over
			head = "【引下げ】【" + b.Kind.Japanese() + "】"
		}
		if n.what != "" {
			middle = joined([]string{n.place, n.what})
		}
	}
	tail := "（" + clock(b.IssuedAt) + "発表）"
	if b.Kind.ByIntensity() {
		tail = "（" + clock(b.OccurredAt) + "頃）"
	}
	if room := longestSubject - utf8.RuneCountInString(head+tail); utf8.RuneCountInString(middle) > room {
		middle = string([]rune(middle)[:room-1]) + "…"
	}
	return strings.TrimSpace(strings.Join(strings.Fields(desk.CleanText(head+middle+tail, false)), " "))
}

// middleOf is a subject without its marks and its time.
func middleOf(subject string) string {
	if i := strings.LastIndex(subject, "】"); i >= 0 {
		subject = subject[i+len("】"):]
	}
	if i := strings.LastIndex(subject, "（"); i > 0 {
		subject = subject[:i]
	}
	return subject
}

// placesOf names the first area of the highest grade and counts the others.
func placesOf(areas []desk.BulletinArea) string {
	if len(areas) == 0 {
		return ""
	}
	names := map[string]bool{}
	for _, a := range areas {
		if a.Grade == areas[0].Grade {
			names[a.Name] = true
		}
	}
	if len(names) == 1 {
		return areas[0].Name
	}
	return fmt.Sprintf("%sほか%d地域", areas[0].Name, len(names)-1)
}

// bulletinBody is the whole text. Its first line is the subject, because a phone previews it.
func bulletinBody(b *desk.Bulletin, n *news, t *desk.Telegram, before *desk.Bulletin) string {
	var w strings.Builder
	w.WriteString(b.Subject + "\n")
	switch b.Step {
	case desk.BulletinWithdrawn:
		fmt.Fprintf(&w, "\n先に配信した%sは、発表元が取り消しました。下の内容は無効です。\n", b.Kind.Japanese())
		for _, l := range before.Facts.Lines {
			fmt.Fprintf(&w, "　取消前の%s　%s\n", l.Name, l.Value)
		}
	case desk.BulletinCorrected:
		w.WriteString("\n■訂正された箇所（訂正前 → 訂正後）\n")
		writeDifferences(&w, before, b)
	case desk.BulletinChanged:
		fmt.Fprintf(&w, "\n■第%d報からの変化\n", before.Number) // not everybody got each issue
		writeDifferences(&w, before, b)
	case desk.BulletinLifted:
		if n.over {
			w.WriteString("\n先に配信した内容は、解除されました。\n")
		} else {
			w.WriteString("\n先に配信した内容は、配信の基準より軽くなりました。ふたたび基準に達したときに知らせます。\n")
		}
	}
	if len(n.lines) > 0 {
		w.WriteString("\n")
	}
	for _, l := range n.lines {
		fmt.Fprintf(&w, "%s　%s\n", l.Name, l.Value)
	}
	writeAreas(&w, n.areas)
	for _, note := range n.notes {
		if note = strings.TrimSpace(note); note != "" {
			w.WriteString("\n" + note + "\n")
		}
	}
	if b.Step == desk.BulletinWithdrawn && t.Text != "" {
		w.WriteString("\n" + strings.TrimSpace(t.Text) + "\n")
	}
	fmt.Fprintf(&w, "\n発表　%s %s（この件の第%d報）\n", firstText(t.Office, "気象庁"), b.IssuedAt.In(desk.JST).Format("2006年1月2日 15時04分"), b.Number)
	return cutBody(desk.CleanText(w.String(), true))
}

func cutBody(s string) string {
	if utf8.RuneCountInString(s) <= longestBody {
		return s
	}
	return string([]rune(s)[:longestBody]) + "…\n（長いため、ここまでを配信しました）\n"
}

func writeAreas(w *strings.Builder, areas []desk.BulletinArea) {
	for i := 0; i < len(areas); {
		what, names, more := areas[i].What, []string(nil), 0
		for ; i < len(areas) && areas[i].What == what; i++ {
			if len(names) < mostNames {
				names = append(names, areas[i].Name)
			} else {
				more++
			}
		}
		fmt.Fprintf(w, "\n■%s\n%s", what, strings.Join(names, "、"))
		if more > 0 {
			fmt.Fprintf(w, "、ほか%d地域", more)
		}
		w.WriteString("\n")
	}
}

func writeDifferences(w *strings.Builder, before, b *desk.Bulletin) {
	lines := differences(before.Facts, b.Facts)
	if len(lines) == 0 {
		w.WriteString("・変わりありません。\n")
	}
	for i, l := range lines {
		if i == mostDifferences {
			fmt.Fprintf(w, "・ほか%d件\n", len(lines)-i)
			break
		}
		w.WriteString("・" + l + "\n")
	}
}

// differences lists what is told otherwise than before, old → new: named values first, areas second. // F3-1-m
func differences(before, now desk.BulletinFacts) []string {
	var out []string
	for _, name := range lineNames(before, now) {
		old, fresh := values(before, name), values(now, name)
		if old != fresh {
			out = append(out, fmt.Sprintf("%s　%s → %s", name, firstText(old, "（なし）"), firstText(fresh, "（なし）")))
		}
	}
	had := make(map[string]desk.BulletinArea, len(before.Areas))
	for _, a := range before.Areas {
		had[a.Key] = a
	}
	for _, a := range now.Areas {
		old, known := had[a.Key]
		switch {
		case !known:
			out = append(out, fmt.Sprintf("%s　%s（追加）", a.Name, a.What))
		case old.What != a.What:
			out = append(out, fmt.Sprintf("%s　%s → %s", a.Name, old.What, a.What))
		}
		delete(had, a.Key)
	}
	for _, a := range before.Areas {
		if _, left := had[a.Key]; left {
			out = append(out, fmt.Sprintf("%s　%s → 対象外", a.Name, a.What))
		}
	}
	return out
}

// values joins what stands under a name: a line may stand several times.
func values(f desk.BulletinFacts, name string) string {
	var all []string
	for _, l := range f.Lines {
		if l.Name == name {
			all = append(all, l.Value)
		}
	}
	return strings.Join(all, "、")
}

func lineNames(before, now desk.BulletinFacts) []string {
	var names []string
	seen := map[string]bool{}
	for _, l := range append(append([]desk.BulletinLine(nil), now.Lines...), before.Lines...) {
		if !seen[l.Name] {
			seen[l.Name] = true
			names = append(names, l.Name)
		}
	}
	return names
}

// magnitude is written as the telegram writes it; what is not a number keeps its own words (Ｍ不明, Ｍ８を超える巨大地震).
func magnitude(h *desk.Hypocenter) string { return h.MagnitudeText }

func depth(h *desk.Hypocenter) string {
	switch {
	case h.DepthKM == nil:
		return ""
	case *h.DepthKM == 0:
		return "ごく浅い"
	}
	return fmt.Sprintf("%gkm", *h.DepthKM)
}

func commentTexts(t *desk.Telegram) []string {
	var texts []string
	for _, c := range t.Comments {
		texts = append(texts, c.Text)
	}
	return texts
}

// DigestText gathers bulletins into one mail, the latest of each thread last. // F3-1-n: one mail in so many minutes
func DigestText(parts []desk.Bulletin) (subject, body string) {
	var w strings.Builder
	subject = fmt.Sprintf("【%s】%d件", desk.BulletinDigest.Japanese(), len(parts))
	if len(parts) > 0 {
		rest := "　" + parts[len(parts)-1].Subject
		if room := longestSubject - utf8.RuneCountInString(subject); utf8.RuneCountInString(rest) > room {
			rest = string([]rune(rest)[:room-1]) + "…"
		}
		subject += rest
	}
	w.WriteString(subject + "\n\n")
	for i := range parts {
		fmt.Fprintf(&w, "%d　%s\n", i+1, parts[i].Subject)
	}
	for i := range parts {
		fmt.Fprintf(&w, "\n――――――――\n%s", parts[i].Body)
	}
	return subject, cutBody(w.String())
}
