// Package line takes telegrams from the desk's own line: a folder and an HTTP door where a contracted receiver drops them.
package line
