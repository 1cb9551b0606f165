// Package tui is the desk: which screen is shown, the header with its clocks and alarms, refresh on a wake-up, and the one tea.View.
package tui
