// Package p2pquake receives the P2PQuake JSON stream, a free and independent second source beside the JMA telegrams.
//
// What comes by it is evidence and no more (feeds.md 3.2): its converter drops 取消 and leaves 訂正 unmarked, and no service level
// stands behind it. It may confirm an event; it never makes, changes, lifts or retracts one.
package p2pquake
