// Package desk is the vocabulary of Yagura: the nouns of the duty desk, their states and the legal steps between them.
//
// It imports the standard library only. Every other room speaks these words; none of them adds its own.
// English identifiers follow the field's standard terms (JMA XML, CAP 1.2); the official Japanese term is the first
// word of each doc comment. Times are time.Time, stored in UTC and shown in JST.
package desk

import "time"

// JST is 日本標準時: the zone of every time shown to a person. Japan has no daylight saving time, so it is a constant.
var JST = time.FixedZone("JST", 9*60*60)

// Identifiers are distinct types, so that the compiler refuses a person where a dispatch is meant. Zero means "none".
type (
	TelegramID     int64
	EventID        int64 // ours; the JMA EventID is a string in Telegram.EventIDs and only a hint
	AdviceID       int64
	VerificationID int64
	IncidentID     int64
	DispatchID     int64
	ApprovalID     int64
	StopID         int64
	PersonID       int64
	AddressID      int64
	GroupID        int64
	MailID         int64
	ResponseID     int64
	OperatorID     int64
	SessionID      int64
)
