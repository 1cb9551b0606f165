package sshd_test
import ("testing";"time";"io";"sort";"yagura/tui/tuitest")
func TestMeasure(t *testing.T){
 for _, size := range [][2]int{{80,24},{120,40},{200,50}} {
 h := open(t, nil)
 x := h.terminal(t, h.admit(t, tuitest.Yamada), size[0],size[1])
 x.sees(t,"未判断")
 time.Sleep(1500*time.Millisecond)
 var ds []time.Duration; total:=0
 for i:=0;i<40;i++{
  x.out.mu.Lock(); n0:=x.out.b.Len(); x.out.mu.Unlock()
  t0:=time.Now(); k:="j"; if i%2==1 {k="k"}
  io.WriteString(x.in,k)
  for { x.out.mu.Lock(); n:=x.out.b.Len(); x.out.mu.Unlock(); if n>n0 {break}; time.Sleep(200*time.Microsecond)}
  ds=append(ds,time.Since(t0)); time.Sleep(60*time.Millisecond)
  x.out.mu.Lock(); total+=x.out.b.Len()-n0; x.out.mu.Unlock()
 }
 sort.Slice(ds,func(i,j int)bool{return ds[i]<ds[j]})
 t.Logf("%v p50 %v p95 %v bytes/key %d", size, ds[20], ds[38], total/40)
 x.out.mu.Lock(); n0:=x.out.b.Len(); x.out.mu.Unlock()
 time.Sleep(5*time.Second)
 x.out.mu.Lock(); t.Logf("idle bytes/s %d", (x.out.b.Len()-n0)/5); x.out.mu.Unlock()
 }
}
