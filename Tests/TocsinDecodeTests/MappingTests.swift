import Testing
import TocsinCore
import TocsinDecode

struct MappingTests {
    @Test func followsPathsIntoMessages() {
        let mapping = InputMapping(
            sensor: "head.dev", time: "head.at", values: ["payload.readings.0.temp", "payload.rpm"], eventID: "head.no",
            unit: "payload.unit", zone: "head.hall", timeFormat: .milliseconds)
        let table = SeriesTable(seed: 1)
        let decoded = decode(
            #"{"head":{"dev":"d","at":1759312800000,"no":"n1","hall":"B"},"payload":{"readings":[{"temp":21.5},{"temp":3}],"rpm":"900","unit":"x"},"t":5}"#,
            mapping: mapping, table: table)
        #expect(decoded.readings == ["d.temp=21.5", "d.rpm=900.0"])
        #expect(decoded.events.first?.time == tenOClock)
        #expect(decoded.events.first?.key != 0)
        #expect(table.withIndex { $0.zone(of: SensorID(0)) } == "B")
    }

    @Test func takesAllNumbersOfAnObject() {
        let mapping = InputMapping(values: ["data.*"])
        let decoded = decode(
            #"{"device":"d","ts":1,"t":5,"data":{"a":1,"b":"x","c":2.5,"d":{"e":1}}}"#, mapping: mapping)
        #expect(decoded.readings == ["d.a=1.0", "d.c=2.5"])
    }

    @Test func keepsWholeNamesWherePathsEndAlike() {
        let mapping = InputMapping(values: ["in.temp", "out.temp"])
        let decoded = decode(#"{"device":"d","ts":1,"in":{"temp":1},"out":{"temp":2}}"#, mapping: mapping)
        #expect(decoded.readings == ["d.in.temp=1.0", "d.out.temp=2.0"])
    }

    @Test func readsANarrowFormOfOtherNames() {
        let mapping = InputMapping(sensor: "src", metric: "q", values: ["v"])
        let decoded = decode(#"{"src":"d","ts":1,"q":"temp","v":"21.5","value":3,"id":9}"#, mapping: mapping)
        #expect(decoded.readings == ["d.temp=21.5"])
        let csv = decode("src,ts,q,v\nd,1,temp,21.5\n", mapping: mapping)
        #expect(csv.readings == ["d.temp=21.5"])
    }

    @Test func rejectsMappedValuesThatAreNoNumbers() {
        let mapping = InputMapping(values: ["t"])
        #expect(decode(#"{"device":"d","ts":1,"t":"warm","u":5}"#, mapping: mapping).reasons == [.notANumber])
        #expect(decode("device,ts,t\nd,1,warm\n", mapping: mapping).reasons == [.notANumber])
    }

    @Test func findsPlainFieldsWithDots() {
        let mapping = InputMapping(values: ["PM2.5"])
        #expect(decode(#"{"device":"d","ts":1,"PM2.5":7,"PM1.0":6}"#, mapping: mapping).readings == ["d.PM2.5=7.0"])
        #expect(decode("device,ts,PM2.5,PM1.0\nd,1,7,6\n", mapping: mapping).readings == ["d.PM2.5=7.0"])
    }

    @Test func replacedNamesAreNoMetrics() {
        let mapping = InputMapping(sensor: "unit_no", time: "at", ignore: ["battery"])
        let decoded = decode(#"{"unit_no":4,"at":1,"id":7,"ts":9,"battery":3,"t":5}"#, mapping: mapping)
        #expect(decoded.readings == ["4.t=5.0"])
        #expect(decoded.events.first?.time == 1_000_000_000)
    }

    @Test(arguments: [
        (InputMapping.TimeFormat.seconds, "1500", Int64(1_500_000_000_000)), (.milliseconds, "1500", 1_500_000_000),
        (.microseconds, "1500", 1_500_000), (.nanoseconds, "1500", 1500),
        (.iso8601, "\"1970-01-01T00:00:01Z\"", 1_000_000_000),
    ])
    func readsTimesOfAGivenFormat(format: InputMapping.TimeFormat, text: String, nanoseconds: Int64) {
        let mapping = InputMapping(timeFormat: format)
        #expect(decode(#"{"device":"d","ts":\#(text),"t":1}"#, mapping: mapping).events.map(\.time) == [nanoseconds])
        let other = format == .iso8601 ? "5" : "\"2025-10-01\""
        #expect(decode(#"{"device":"d","ts":\#(other),"t":1}"#, mapping: mapping).reasons == [.badTime])
    }

    @Test func namesSensorsThatMessagesDoNotName() {
        let mapping = InputMapping(defaultSensor: "file", timeFromReceipt: true)
        let decoded = decode("{\"t\":1}\n{\"t\":2,\"device\":\"d\"}", mapping: mapping)
        #expect(decoded.readings == ["file.t=1.0", "d.t=2.0"])
        #expect(decoded.events.map(\.time) == [testOrigin.received.nanoseconds, testOrigin.received.nanoseconds])
    }

    @Test func startsAfreshWithAnotherTable() {
        var decoder = EventDecoder()
        for name in ["a", "b"] {
            let table = SeriesTable(seed: 1)
            if name == "b" { table.withIndex { _ = $0.metric("other".utf8.span) } }
            var decoded = Decoded()
            decoded.add(
                decoder.decode(chunk: Array(#"{"device":"d","ts":1,"t":1}"#.utf8), origin: testOrigin, table: table),
                table)
            #expect(decoded.readings == ["d.t=1.0"])
        }
    }
}
