// Package dmdata receives JMA telegrams pushed by DMDATA.JP v2 over two WebSockets in different regions.
//
// Facts: DMDATA.JP API v2 reference (Socket Start, WebSocket, Socket List, Socket Close, Telegram List); feeds.md 3.1.
package dmdata
