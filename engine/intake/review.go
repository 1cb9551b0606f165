package intake

import (
	"context"

	"yagura/engine/rules"
	"yagura/store/desk"
)

// reviewed is how many of the newest events are looked at again when an incident or a dispatch changed.
const reviewed = 200

// review gives fresh merge advice to the newest events: an incident opened a moment ago may own what came before it, and people
// asked a moment ago need not be asked again. // F3-1-k.4
func (r *reader) review(ctx context.Context) error {
	policy, err := r.Store.Policy(ctx)
	if err != nil {
		return err
	}
	items, err := r.Store.Inbox(ctx, reviewed)
	if err != nil {
		return err
	}
	open := map[desk.Mode][]desk.Incident{}
	for _, item := range items {
		mode := item.Event.Mode
		if item.Advice == nil {
			continue
		}
		if _, known := open[mode]; !known {
			if open[mode], err = r.Store.OpenIncidents(ctx, mode); err != nil {
				return err
			}
		}
		advice, changed := rules.Review(item, open[mode], policy)
		if !changed {
			continue
		}
		// Conflict: a telegram brought newer advice meanwhile, made with the same incidents.
		if _, err := r.Store.Readvise(ctx, advice); err != nil && desk.KindOf(err) != desk.Conflict {
			return err
		}
	}
	return nil
}
