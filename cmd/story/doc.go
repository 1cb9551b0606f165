// Package story tells the behaviour of whole installations: real programs, a real database and simulated carriers and staff.
package story
