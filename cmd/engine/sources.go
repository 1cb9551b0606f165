package main

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"yagura/feeds"
	"yagura/feeds/dmdata"
	"yagura/feeds/jma"
	"yagura/feeds/line"
	"yagura/feeds/p2pquake"
	"yagura/feeds/replay"
	"yagura/store/desk"
)

// sourceConfig says by which paths this engine hears of the world. Without any of them it hears nothing and says so.
type sourceConfig struct {
	JMA      bool   `name:"jma" env:"YAGURA_JMA" help:"Read the public JMA feeds (PULL)."`
	JMAState string `name:"jma-state" env:"YAGURA_JMA_STATE" type:"existingdir" help:"Folder that remembers what was fetched, over restarts."`
	JMABytes int64  `name:"jma-day-bytes" env:"YAGURA_JMA_DAY_BYTES" default:"2000000000" help:"Hard budget of bytes a day (JST) from the public JMA feeds."`

	DMDATAKey  string `name:"dmdata-key" env:"YAGURA_DMDATA_KEY" type:"existingfile" help:"File with the DMDATA.JP API key: hold two sockets to it."`
	DMDATATest bool   `name:"dmdata-test" env:"YAGURA_DMDATA_TEST" help:"Also receive drills and tests from DMDATA.JP; they stay drills."`

	P2P bool `name:"p2pquake" env:"YAGURA_P2PQUAKE" help:"Listen to P2PQuake as a second source."`

	LineFolder string `env:"YAGURA_LINE_FOLDER" type:"existingdir" help:"Folder into which the desk's own receiver drops telegram files."`
	LineListen string `env:"YAGURA_LINE_LISTEN" help:"Address of the HTTP intake of the desk's own receiver."`
	LineToken  string `env:"YAGURA_LINE_TOKEN" type:"existingfile" help:"File with the bearer token of the HTTP intake, at least 32 characters."`
	LineCert   string `env:"YAGURA_LINE_CERT" type:"existingfile" help:"Certificate chain (PEM) of the HTTP intake."`
	LineKey    string `env:"YAGURA_LINE_KEY" type:"existingfile" help:"Private key (PEM) of the HTTP intake."`

	EDXL bool `name:"edxl" env:"YAGURA_EDXL" help:"Read EDXL envelopes (L-Alert). Only with the contract's schema in hand."`
}

// sources are the feeds of this engine.
func (c *config) sources(log *slog.Logger) ([]feeds.Source, error) {
	var all []feeds.Source
	if c.JMA {
		if c.JMAState == "" { // else each restart fetches the same files again, and JMA cuts off who does (feeds.md 2)
			return nil, desk.Errorf(desk.Invalid, "config.sources", "気象庁フィードの受信には、取得済みの記録を置くフォルダ（--jma-state）が要ります。")
		}
		pull, err := jma.NewPull(jma.PullOptions{State: c.JMAState, DayBytes: c.JMABytes, Log: log, Now: time.Now})
		if err != nil {
			return nil, err
		}
		all = append(all, pull)
	}
	if c.DMDATAKey != "" {
		key, err := readWord(c.DMDATAKey, 1)
		if err != nil {
			return nil, err
		}
		host, err := os.Hostname()
		if err != nil {
			return nil, desk.Errorf(desk.Invalid, "config.sources", "この計算機の名前が分かりません。")
		}
		all = append(all, dmdata.New(dmdata.Options{APIKey: key, Test: c.DMDATATest, AppName: appName(c.Name, host), Now: time.Now, Log: log}))
	}
	if c.P2P {
		all = append(all, p2pquake.New(p2pquake.Options{Now: time.Now, Log: log}))
	}
	if c.LineFolder != "" {
		all = append(all, line.NewFolder(line.FolderOptions{Dir: c.LineFolder, Log: log, Now: time.Now}))
	}
	if c.LineListen != "" {
		door, err := c.lineDoor(log)
		if err != nil {
			return nil, err
		}
		all = append(all, door)
	}
	if c.Replay != "" {
		envs, err := recorded(c.Replay)
		if err != nil {
			return nil, err
		}
		player := replay.NewPlayer("replay", envs, replay.Options{Speed: c.ReplaySpeed, MaxGap: c.ReplayGap, Now: time.Now})
		all = append(all, delayed{player, c.ReplayWait})
	}
	return all, nil
}

func (c *config) lineDoor(log *slog.Logger) (*line.Door, error) {
	if c.LineToken == "" {
		return nil, desk.Errorf(desk.Invalid, "config.sources", "受信装置用の入口には合言葉のファイル（--line-token）が要ります。")
	}
	token, err := readWord(c.LineToken, 32)
	if err != nil {
		return nil, err
	}
	return line.NewDoor(line.DoorOptions{
		Listen: c.LineListen, CertFile: c.LineCert, KeyFile: c.LineKey, Clients: []line.Client{{Name: "line", Token: sha256.Sum256([]byte(token))}},
		Log: log, Now: time.Now,
	})
}

// readWord reads a secret that is one word of text.
func readWord(path string, least int) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", desk.Errorf(desk.Invalid, "config.sources", "鍵のファイルが読めません。場所と権限を確かめてください: %s", path)
	}
	word := strings.TrimSpace(string(text))
	if len(word) < least || strings.ContainsAny(word, " \t\r\n") {
		return "", desk.Errorf(desk.Invalid, "config.sources", "鍵のファイルには %d 文字以上の一語だけを書いてください: %s", least, path)
	}
	return word, nil
}

// appName is this engine's name among the sockets of the DMDATA account, where at most 24 bytes fit. An engine closes what is left
// of its own name, so two engines must not share one: not by a long name that is cut, and not by the default name at both sites.
func appName(engine, host string) string {
	sum := sha256.Sum256([]byte(engine + "\x00" + host))
	return fmt.Sprintf("yagura %s %x", strings.ToValidUTF8(engine[:min(len(engine), 8)], ""), sum[:4])
}
