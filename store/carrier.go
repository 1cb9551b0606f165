package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Carriers lists the lanes in the order of their names.
func (s *Store) Carriers(ctx context.Context) ([]desk.Carrier, error) {
	const op = "store.Carriers"
	rows, err := s.pool.Query(ctx, `
		SELECT lane, name, host, port, sessions, depth, tls,
		       ARRAY(SELECT domain FROM carrier_domain d WHERE d.lane = c.lane ORDER BY domain)
		FROM carrier c ORDER BY lane`)
	if err != nil {
		return nil, wrap(op, err)
	}
	carriers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Carrier, error) {
		var c desk.Carrier
		err := row.Scan(&c.Lane, &c.Name, &c.Host, &c.Port, &c.Sessions, &c.Depth, &c.TLS, &c.Domains)
		return c, err
	})
	return carriers, wrap(op, err)
}

// SetCarriers replaces the lanes. The lane desk.DefaultLane must be among them, because it serves every other domain; a
// domain belongs to one lane; a lane that still has mails under way cannot go (Conflict).
func (s *Store) SetCarriers(ctx context.Context, actor string, carriers []desk.Carrier) error {
	const op = "store.SetCarriers"
	lanes, err := checkCarriers(carriers)
	if err != nil {
		return err
	}
	return s.write(ctx, op, func(tx *Tx) error {
		var busy string
		err := tx.QueryRow(ctx, `
			SELECT coalesce(min(c.lane), '') FROM carrier c
			WHERE c.lane <> ALL (@lanes) AND EXISTS (
				SELECT FROM dispatch d JOIN mail m ON m.dispatch_id = d.id AND m.lane = c.lane
				WHERE d.state IN ('approved', 'expanded', 'sending'))`, pgx.NamedArgs{"lanes": lanes}).Scan(&busy)
		if err != nil {
			return err
		}
		if busy != "" {
			return desk.Errorf(desk.Conflict, op, "送信経路「%s」には送信中のメールがあります。送信が終わってから外してください。", busy)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM carrier_domain`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM carrier WHERE lane <> ALL (@lanes)`, pgx.NamedArgs{"lanes": lanes}); err != nil {
			return err
		}
		for _, c := range carriers {
			if err := tx.putCarrier(ctx, c); err != nil {
				return err
			}
		}
		// Whole, not by name: whoever changes a host sends every mail of the lane somewhere else.
		return tx.audit(ctx, actor, "set-carriers", "carriers", carriers)
	})
}

func (tx *Tx) putCarrier(ctx context.Context, c desk.Carrier) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO carrier (lane, name, host, port, sessions, depth, tls)
		VALUES (@lane, @name, @host, @port, @sessions, @depth, @tls)
		ON CONFLICT (lane) DO UPDATE SET name = excluded.name, host = excluded.host, port = excluded.port,
			sessions = excluded.sessions, depth = excluded.depth, tls = excluded.tls`,
		pgx.NamedArgs{
			"lane": c.Lane, "name": c.Name, "host": c.Host, "port": c.Port, "sessions": c.Sessions, "depth": c.Depth, "tls": c.TLS,
		})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO carrier_domain (domain, lane) SELECT lower(domain), @lane FROM unnest(@domains::text[]) AS d (domain)`,
		pgx.NamedArgs{"lane": c.Lane, "domains": c.Domains})
	return err
}

func checkCarriers(carriers []desk.Carrier) (lanes []string, err error) {
	const op = "store.SetCarriers"
	if most := desk.Window / 2; len(carriers) > most { // each lane needs two places of the window, or W is no guarantee (law 9)
		return nil, desk.Errorf(desk.Invalid, op, "送信経路は %d までです（%d あります）。まとめてください。", most, len(carriers))
	}
	known, owner := map[string]bool{}, map[string]string{}
	for _, c := range carriers {
		if c.Lane == "" || known[c.Lane] {
			return nil, desk.Errorf(desk.Invalid, op, "送信経路の名前が空か、重なっています（%s）。", c.Lane)
		}
		known[c.Lane] = true
		lanes = append(lanes, c.Lane)
		for _, d := range c.Domains {
			if other, taken := owner[strings.ToLower(d)]; taken {
				return nil, desk.Errorf(desk.Invalid, op, "ドメイン %s が送信経路 %s と %s の両方にあります。", d, other, c.Lane)
			}
			owner[strings.ToLower(d)] = c.Lane
		}
		if c.Host == "" || c.Port < 1 || c.Port > 65535 || c.Sessions < 1 || c.Sessions > 200 || c.Depth < 1 || c.Depth > 16 {
			return nil, desk.Errorf(desk.Invalid, op, "送信経路 %s の接続先、接続数（1〜200）、深さ（1〜16）を確かめてください。", c.Lane)
		}
	}
	if !known[desk.DefaultLane] {
		return nil, desk.Errorf(desk.Invalid, op, "その他すべてを受け持つ送信経路「%s」がありません。加えてください。", desk.DefaultLane)
	}
	return lanes, nil
}
