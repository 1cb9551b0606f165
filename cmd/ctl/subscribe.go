package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"yagura/store"
	"yagura/store/desk"
)

// subscribeCommand says who is told automatically.
type subscribeCommand struct {
	List   listSubscriptions   `cmd:"" default:"1" help:"自動配信の指定を CSV で書き出す。"`
	Import importSubscriptions `cmd:"" help:"CSV を読み、その種別の名簿を置き換える。"`
	Clear  clearSubscriptions  `cmd:"" help:"一つの種別の指定をすべて終える。"`
}

// The columns of the CSV: 職員番号, 種別, 都道府県 (JIS codes or names split at blanks; empty = the whole country), 下限 (震度 or 段階;
// empty = as the rule says), 頻度 (every, changes, digest; empty = changes). A first line that begins with 職員番号 is a heading.
const subscriptionHeading = "職員番号"

type listSubscriptions struct {
	database
}

// Run writes the present designations in the form that import reads.
func (c *listSubscriptions) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		all, err := st.Subscriptions(ctx)
		if err != nil {
			return err
		}
		w := csv.NewWriter(s.out)
		_ = w.Write([]string{subscriptionHeading, "種別", "都道府県", "下限", "頻度"}) // Flush tells
		for _, one := range all {
			var places []string
			for _, p := range one.Prefectures {
				places = append(places, strconv.Itoa(int(p)))
			}
			from := ""
			if one.Kind.ByIntensity() {
				from = one.FromIntensity.String()
			} else if one.FromLevel > 0 {
				from = strconv.Itoa(int(one.FromLevel))
			}
			_ = w.Write([]string{one.Code, string(one.Kind), strings.Join(places, " "), from, string(one.Cadence)})
		}
		w.Flush()
		return w.Error()
	})
}

type importSubscriptions struct {
	database
	Actor string `required:"" help:"変更する人の名前。操作記録に残る。"`
	File  string `arg:"" help:"CSV のファイル（職員番号,種別,都道府県,下限,頻度）。- は標準入力。"`
}

// Run replaces the lists of the kinds that stand in the file, all or nothing.
func (c *importSubscriptions) Run(s *streams) error {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return desk.Errorf(desk.Invalid, "ctl.subscribe", "ファイル %s が読めません。", c.File)
		}
		defer f.Close()
		in = f
	}
	list, kinds, err := readSubscriptions(in)
	if err != nil {
		return plain(err)
	}
	return c.with(func(ctx context.Context, st *store.Store) error {
		began, ended, err := st.SetSubscriptions(ctx, "admin:"+c.Actor, kinds, list)
		if err == nil {
			fmt.Fprintf(s.out, "%d 行を読みました。新しい指定 %d、終えた指定 %d。\n", len(list), began, ended)
		}
		return err
	})
}

// readSubscriptions reads the CSV; an error names the line.
func readSubscriptions(in io.Reader) (list []desk.Subscription, kinds []desk.BulletinKind, err error) {
	const op = "ctl.subscribe"
	r := csv.NewReader(in)
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			return nil, nil, desk.Errorf(desk.Invalid, op, "CSV として読めない行があります（%d 行目の近く）。", line)
		}
		fields[0] = strings.TrimPrefix(fields[0], "\uFEFF")
		if len(list) == 0 && fields[0] == subscriptionHeading {
			continue
		}
		for len(fields) < 5 {
			fields = append(fields, "")
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		places, err := readPrefectures(fields[2])
		if err != nil {
			return nil, nil, desk.Errorf(desk.Invalid, op, "%d 行目: %s", line, desk.Message(err))
		}
		one, err := desk.NewSubscription(fields[0], desk.BulletinKind(fields[1]), places, fields[3], desk.Cadence(fields[4]))
		if err != nil {
			return nil, nil, desk.Errorf(desk.Invalid, op, "%d 行目: %s", line, desk.Message(err))
		}
		list = append(list, one)
		if !slices.Contains(kinds, one.Kind) {
			kinds = append(kinds, one.Kind)
		}
	}
	if len(list) == 0 {
		return nil, nil, desk.Errorf(desk.Invalid, op, "CSV に指定が一行もありません。名簿を空にするときは subscribe clear を使ってください。")
	}
	return list, kinds, nil
}

// readPrefectures reads JIS codes or official names, split at blanks.
func readPrefectures(text string) ([]desk.Prefecture, error) {
	var out []desk.Prefecture
	for _, word := range strings.Fields(text) {
		found := desk.Prefecture(0)
		if n, err := strconv.Atoi(word); err == nil && n >= 1 && n <= desk.Prefectures {
			found = desk.Prefecture(n)
		}
		for p := desk.Prefecture(1); p <= desk.Prefectures && found == 0; p++ {
			if p.Name() == word {
				found = p
			}
		}
		if found == 0 {
			return nil, desk.Errorf(desk.Invalid, "ctl.subscribe", "都道府県 %q が分かりません。番号（1 から 47）か正式名で書いてください。", word)
		}
		out = append(out, found)
	}
	return out, nil
}

type clearSubscriptions struct {
	database
	Actor string `required:"" help:"変更する人の名前。操作記録に残る。"`
	Kind  string `arg:"" help:"種別。"`
}

// Run ends every designation of a kind; the history stays.
func (c *clearSubscriptions) Run(s *streams) error {
	kind := desk.BulletinKind(c.Kind)
	if !slices.Contains(desk.BulletinKinds(), kind) {
		return errors.New("種別 " + strconv.Quote(c.Kind) + " はありません。")
	}
	return c.with(func(ctx context.Context, st *store.Store) error {
		_, ended, err := st.SetSubscriptions(ctx, "admin:"+c.Actor, []desk.BulletinKind{kind}, nil)
		if err == nil {
			fmt.Fprintf(s.out, "%sの指定 %d 件を終えました。\n", kind.Japanese(), ended)
		}
		return err
	})
}
