// Package ui is what all screens of the desk share: cells and widths, colours, keys as intents, the list, the prompt and the count-down bar.
package ui
