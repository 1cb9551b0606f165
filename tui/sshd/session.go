package sshd

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"charm.land/wish/v2"
	"github.com/charmbracelet/colorprofile"
	gossh "golang.org/x/crypto/ssh"

	"yagura/store/desk"
	"yagura/tui"
)

type contextKey struct{}

// terminalOnly turns away whoever has no terminal, in words that help.
func (s *Server) terminalOnly(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		if _, _, ok := sess.Pty(); !ok {
			wish.Fatalln(sess, "当直卓には端末が必要です。ssh -t で接続してください。\r\nA terminal is required: connect with ssh -t.")
			return
		}
		next(sess)
	}
}

// identify asks again, with the key that was proven and not merely offered, who this is, and takes a seat under the limits.
func (s *Server) identify(next ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		key := sess.PublicKey()
		if key == nil {
			wish.Fatalln(sess, "鍵で接続してください。")
			return
		}
		who, err := s.lookup(sess.Context(), key)
		if err != nil {
			s.opt.Log.Warn("入室を断りました", "fingerprint", gossh.FingerprintSHA256(key), "kind", desk.KindOf(err))
			wish.Fatalln(sess, desk.Message(err))
			return
		}
		if !s.take(who.ID) {
			s.opt.Log.Warn("席が足りません", "operator", who.Name)
			wish.Fatalln(sess, fmt.Sprintf("同時に開ける画面は1人 %d、全体で %d までです。使っていない画面を閉じてください。", MaxPerOperator, MaxSessions))
			return
		}
		defer s.give(who.ID)
		sess.Context().SetValue(contextKey{}, who)
		next(sess)
	}
}

func (s *Server) take(id desk.OperatorID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= MaxSessions || s.users[id] >= MaxPerOperator {
		return false
	}
	s.total++
	s.users[id]++
	s.work.Add(1)
	return true
}

func (s *Server) give(id desk.OperatorID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.users[id]--; s.users[id] == 0 {
		delete(s.users, id)
	}
	s.work.Done()
}

// desk runs the program of one session.
func (s *Server) desk(ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		who, _ := sess.Context().Value(contextKey{}).(desk.Operator)
		ctx, cancel := context.WithCancel(sess.Context())
		defer cancel()
		log := s.opt.Log.With("operator", who.Name)
		id, err := s.record(ctx, who, sess)
		if err != nil {
			log.Error("在席を記録できません", "error", err)
			wish.Fatalln(sess, desk.Message(err))
			return
		}
		defer s.unrecord(ctx, id)
		log.Info("着席", "session", id)
		defer log.Info("離席", "session", id)

		var panicked bool
		report := func(p any) {
			log.Error("画面の内部の誤り", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		model := guarded{s.opt.Program(ctx, Session{Operator: who, Report: report}), report, &panicked}
		program := tea.NewProgram(model, s.options(ctx, sess)...)
		s.watch(ctx, program, sess, id)
		last, err := program.Run()
		cancel()
		switch {
		case panicked:
			wish.Println(sess, "画面に内部の誤りが起きたため閉じました。記録しました。つなぎ直してください。\r")
		case err != nil && sess.Context().Err() == nil:
			log.Warn("画面が異常に終わりました", "error", err)
		}
		if g, ok := last.(guarded); ok {
			if f, ok := g.Model.(interface{ Farewell() string }); ok && f.Farewell() != "" {
				wish.Println(sess, f.Farewell()+"\r")
			}
		}
	}
}

func (s *Server) record(ctx context.Context, who desk.Operator, sess ssh.Session) (desk.SessionID, error) {
	ctx, cancel := context.WithTimeout(ctx, registryDeadline)
	defer cancel()
	return s.opt.Registry.OpenSession(ctx, who.ID, sess.RemoteAddr().String())
}

func (s *Server) unrecord(ctx context.Context, id desk.SessionID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience/2)
	defer cancel()
	if err := s.opt.Registry.CloseSession(ctx, id); err != nil {
		s.opt.Log.Warn("離席を記録できません", "session", id, "error", err)
	}
}

// options bind the program to the session. Of the client's environment only TERM, and NO_COLOR which can only take away, are looked at.
func (s *Server) options(ctx context.Context, sess ssh.Session) []tea.ProgramOption {
	pty, _, _ := sess.Pty()
	env := []string{"TERM=" + pty.Term}
	if slices.ContainsFunc(sess.Environ(), func(e string) bool { return len(e) > 9 && e[:9] == "NO_COLOR=" }) {
		env = append(env, "NO_COLOR=1")
	}
	w, h := tui.Clamp(pty.Window.Width, pty.Window.Height)
	return []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(sess), tea.WithOutput(sess), tea.WithEnvironment(env),
		tea.WithColorProfile(colorprofile.Env(env)), tea.WithWindowSize(w, h),
		tea.WithoutSignalHandler(), // else a session would swallow the server's SIGTERM (limits.md §7)
		tea.WithFilter(filter),
	}
}

// filter clamps the window before the renderer sees it, and never suspends a server.
func filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		m.Width, m.Height = tui.Clamp(m.Width, m.Height)
		return m
	case tea.SuspendMsg:
		return nil
	}
	return msg
}

// watch passes window changes on, keeps the session record alive and throws out an operator who was disabled.
// It waits for nothing: its goroutines end with ctx, which the session ends.
func (s *Server) watch(ctx context.Context, program *tea.Program, sess ssh.Session, id desk.SessionID) {
	_, sizes, _ := sess.Pty()
	s.work.Add(2)
	go func() {
		defer s.work.Done()
		for {
			select {
			case <-ctx.Done():
				return
			case w, open := <-sizes:
				if !open {
					return
				}
				program.Send(tea.WindowSizeMsg{Width: w.Width, Height: w.Height})
			}
		}
	}()
	go func() {
		defer s.work.Done()
		tick := time.NewTicker(checkEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.closing:
				program.Send(tui.KickMsg{Text: farewellForAll})
				return
			case <-tick.C:
			}
			_, err := s.lookup(ctx, sess.PublicKey())
			if k := desk.KindOf(err); k == desk.NotFound || k == desk.Forbidden {
				program.Send(tui.KickMsg{Text: farewellForKicked})
				return
			}
			if err := s.touch(ctx, id); err != nil && ctx.Err() == nil {
				s.opt.Log.Warn("在席を更新できません", "session", id, "error", err)
			}
		}
	}()
}

func (s *Server) touch(ctx context.Context, id desk.SessionID) error {
	ctx, cancel := context.WithTimeout(ctx, registryDeadline)
	defer cancel()
	return s.opt.Registry.TouchSession(ctx, id)
}

// guarded turns a panic of a screen into the end of that one session (law 12; the desk itself goes on).
type guarded struct {
	tea.Model
	report   func(any)
	panicked *bool
}

func (g guarded) broke() {
	if p := recover(); p != nil {
		*g.panicked = true
		g.report(p)
	}
}

// Init is the screen's.
func (g guarded) Init() tea.Cmd { return g.Model.Init() }

// Update is the screen's, or the end.
func (g guarded) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	next, cmd = g, tea.Quit
	if *g.panicked {
		return
	}
	defer g.broke()
	m, c := g.Model.Update(msg)
	g.Model = m
	return g, c
}

// View is the screen's; after a panic it is empty and the next message ends the program.
func (g guarded) View() (v tea.View) {
	defer g.broke()
	if *g.panicked {
		return tea.NewView("")
	}
	return g.Model.View()
}
