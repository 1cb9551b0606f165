package tuitest

import (
	"context"

	"yagura/store/desk"
)

// Registry is the door's side of the store in memory: operators by fingerprint and the record of sessions.
type Registry struct {
	*Backend
	Keys   map[string]desk.Operator
	Opened map[desk.SessionID]desk.OperatorID
	Closed map[desk.SessionID]bool
	wakes  chan desk.Wake
}

// NewRegistry puts a door's records beside a backend.
func NewRegistry(b *Backend) *Registry {
	return &Registry{
		Backend: b, Keys: map[string]desk.Operator{}, Opened: map[desk.SessionID]desk.OperatorID{}, Closed: map[desk.SessionID]bool{},
		wakes: make(chan desk.Wake, 16),
	}
}

// Admit registers or changes the operator of a fingerprint.
func (r *Registry) Admit(fingerprint string, who desk.Operator) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Keys[fingerprint] = who
}

// OperatorByFingerprint is sshd.Registry.
func (r *Registry) OperatorByFingerprint(_ context.Context, fingerprint string) (desk.Operator, error) {
	leave, err := r.enter("OperatorByFingerprint")
	defer leave()
	if err != nil {
		return desk.Operator{}, err
	}
	who, ok := r.Keys[fingerprint]
	if !ok {
		return who, desk.Errorf(desk.NotFound, "OperatorByFingerprint", "登録されていない鍵です。")
	}
	return who, nil
}

// OpenSession is sshd.Registry.
func (r *Registry) OpenSession(_ context.Context, who desk.OperatorID, _ string) (desk.SessionID, error) {
	leave, err := r.enter("OpenSession")
	defer leave()
	id := desk.SessionID(r.id())
	r.Opened[id] = who
	return id, err
}

// TouchSession is sshd.Registry.
func (r *Registry) TouchSession(context.Context, desk.SessionID) error {
	leave, err := r.enter("TouchSession")
	defer leave()
	return err
}

// CloseSession is sshd.Registry.
func (r *Registry) CloseSession(_ context.Context, id desk.SessionID) error {
	leave, err := r.enter("CloseSession")
	defer leave()
	r.Closed[id] = true
	return err
}

// Sessions counts the sessions opened and closed.
func (r *Registry) Sessions() (opened, closed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.Opened), len(r.Closed)
}

// Wake makes every listener read again.
func (r *Registry) Wake(w desk.Wake) { r.wakes <- w }

// Listen is tui.Listener.
func (r *Registry) Listen(ctx context.Context, _ []desk.Topic, on func(desk.Wake)) error {
	for {
		select {
		case w := <-r.wakes:
			on(w)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
