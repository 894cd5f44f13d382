import Testing
import TocsinBench

@Suite("Probes")
struct ProbeTests {
    @Test("a readings event gives the times of its points")
    func readings() {
        let data =
            #"{"sensor_id":"a [1]","metric":"t","unit":null,"points":[[1700000000123,21.5,20,23],[5,-1,null,null]]}"#
        let found = LiveProbes.readings(Array(data.utf8))
        #expect(found?.sensor == "a [1]")
        #expect(found?.milliseconds.suffix(2) == [1_700_000_000_123, 5])
        #expect(LiveProbes.readings(Array("{}".utf8)) == nil)
        #expect(LiveProbes.readings(Array(#"{"sensor_id":"a","points":[[99999999999999999999,1]]}"#.utf8)) == nil)
    }

    @Test("an anomaly event gives its time")
    func anomaly() {
        let data =
            #"{"id":"x","sensor_id":"s","start":"2020-01-01T00:00:00Z","time":"1970-01-01T00:00:01.250Z","value":1}"#
        let found = LiveProbes.anomaly(Array(data.utf8))
        #expect(found?.sensor == "s")
        #expect(found?.milliseconds == 1250)
        #expect(LiveProbes.anomaly(Array(#"{"sensor_id":"s","time":"soon"}"#.utf8)) == nil)
    }

    @Test("every probe that comes back finds when it was due, once")
    func due() {
        var plan = ProbePlan(run: 1, watched: 2, trained: 3, isAlone: false)
        var sent: [(name: String, milliseconds: Int64, due: Int64)] = []
        for number in 0..<2000 {
            let milliseconds = Int64(1_000_000 + number * 10)
            for (name, _) in plan.next(due: Int64(number), milliseconds: milliseconds) {
                sent.append((name, milliseconds, Int64(number)))
            }
        }
        #expect(plan.spikesSent > 0)
        // No sensor sends twice in the same millisecond: the store would take it for one reading.
        #expect(Set(sent.map { "\($0.name) \($0.milliseconds)" }).count == sent.count)
        let watched = Set(plan.watchedNames)
        for probe in sent where watched.contains(probe.name) {
            #expect(plan.takeDue(probe.name, milliseconds: probe.milliseconds) == probe.due)
            #expect(plan.takeDue(probe.name, milliseconds: probe.milliseconds) == nil)
        }
        // What is left are the spikes.
        #expect(plan.outstanding == plan.spikesSent)
    }

    @Test("every spike finds when it was due once more, for its alarm; a request counts when it is whole")
    func alerts() {
        var plan = ProbePlan(run: 1, watched: 0, trained: 4, isAlone: false)
        var found = 0
        for number in 0..<400 {
            let milliseconds = Int64(1_000_000 + number * 500)
            for (name, _) in plan.next(due: Int64(number), milliseconds: milliseconds) {
                guard let due = plan.takeAlertDue(name, milliseconds: milliseconds) else { continue }
                #expect(due == Int64(number))
                found += 1
            }
        }
        #expect(found == plan.spikesSent && found > 0)
        let body =
            #"{"data":{"step":"raised","alarm":{"sensor_id":"s","kind":"spike","last_seen":"1970-01-01T00:00:01.250Z"}}}"#
        let request = Array("POST / HTTP/1.1\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        var bytes = Array(request.dropLast())
        #expect(AlertReceiver.nextBody(&bytes) == nil)
        bytes = request + request
        for _ in 0..<2 {
            let spike = AlertReceiver.nextBody(&bytes).flatMap { AlertReceiver.spike($0) }
            #expect(spike?.sensor == "s" && spike?.milliseconds == 1250)
        }
        #expect(bytes.isEmpty)
        #expect(AlertReceiver.spike(Array(body.replacing("raised", with: "cleared").utf8)) == nil)
    }

    @Test("alone means one reading a request")
    func alone() {
        var plan = ProbePlan(run: 1, watched: 8, trained: 2, isAlone: true)
        for number in 0..<400 {
            #expect(plan.next(due: 0, milliseconds: Int64(number) * 200).count <= 1)
        }
        #expect(plan.spikesSent > 0)
    }

    @Test("fields of our own JSON")
    func fields() {
        let text = #"{"machine":{"model":"x"},"readings":12,"seconds":1.5e-3,"none":null}"#
        #expect(FlatJSON.number("readings", in: text) == 12)
        #expect(FlatJSON.number("seconds", in: text) == 0.0015)
        #expect(FlatJSON.number("none", in: text) == nil)
        #expect(FlatJSON.number("missing", in: text) == nil)
        #expect(FlatJSON.text("model", in: text) == "x")
    }
}
