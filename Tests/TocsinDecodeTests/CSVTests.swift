import Testing
import TocsinCore
import TocsinDecode

struct CSVTests {
    @Test(arguments: [
        (
            "sensor_id,timestamp,temperature,humidity\ns,2025-10-01T10:00:00Z,21.5,40\n",
            ["s.temperature=21.5", "s.humidity=40.0"]
        ),
        ("ts;device;temp\n1759312800;s;21,5\n", ["s.temp=21.5"]),
        ("ts;device;temp\n1759312800;s;21.5\n", ["s.temp=21.5"]),
        ("ts\tdevice\ttemp\r\n1759312800\ts\t21.5\r\n", ["s.temp=21.5"]),
        ("\u{feff}ts,device,temp\n1759312800,s,21.5", ["s.temp=21.5"]),
        ("\"ts\",\"device\",\"temp\"\n\"1759312800\",\"s\",\"21.5\"\n", ["s.temp=21.5"]),
        ("ts,device,note,temp\n1759312800,s,\"a, \"\"b\"\"\nc\",21.5\n", ["s.temp=21.5"]),
        ("ts,device,temp\n1759312800,\"a\"\"b\",21.5\n", ["a\"b.temp=21.5"]),
        ("ts,device,temp,\n1759312800,s,21.5,\n", ["s.temp=21.5"]),
        ("ts , device , temp\n 1759312800 , s , 21.5 \n", ["s.temp=21.5"]),
        ("ts,device,a,b,c,d\n1759312800,s,,null,true,FALSE\n", ["s.c=1.0", "s.d=0.0"]),
        ("ts,device,metric,value,unit\n1759312800,s,temp,21.5,C\n", ["s.temp=21.5"]),
        ("ts,device,value\n1759312800,s,21.5\n", ["s.value=21.5"]),
        (
            "ts,device,Temperature[C],Raw H2,CNT,row,Fire Alarm\n1759312800,s,1,2,3,4,0\n",
            ["s.Temperature=1.0", "s.Raw H2=2.0"]
        ),
        ("ts,device,t\n\n1759312800,s,1\n\n\n", ["s.t=1.0"]),
        (",ts,device,t\n7,1759312800,s,1\n", ["s.t=1.0"]),
        ("ts,device,x\n1759312800,s,1e3\n", ["s.x=1000.0"]),
        ("ts,device,x\n1759312800,s,0.011737819751470924\n", ["s.x=0.011737819751470924"]),
    ])
    func decodes(text: String, readings: [String]) {
        let decoded = decode(text)
        #expect(decoded.readings == readings)
        #expect(decoded.refusals == [], "\(decoded.details)")
        #expect(decoded.events.map(\.time) == [tenOClock])
    }

    @Test(arguments: [
        ("1759312800,s", DeadLetterReason.malformed), ("1759312800,s,1,2", .malformed), ("x", .malformed),
        ("1759312800,s,\"1", .malformed), ("1759312800,s,\"1\"x", .malformed), ("1759312800,,1", .missingField),
        (",s,1", .missingField), ("soon,s,1", .badTime), ("1759312800,s,NaN", .notANumber),
        ("1759312800,s,1e999", .notANumber), ("1759312800,s,warm", .notANumber), ("1759312800,s,1,5", .malformed),
        ("1759312800,s,0x10", .notANumber), ("\u{0}\u{1}\u{2}", .malformed),
    ])
    func refusesARowAndKeepsItsNeighbours(row: String, reason: DeadLetterReason) {
        let decoded = decode("ts,device,t\n1759312800,s,1\n\(row)\n1759312801,s,2\n1759312802,s,3\n")
        #expect(decoded.readings == ["s.t=1.0", "s.t=2.0", "s.t=3.0"])
        #expect(decoded.reasons == [reason], "\(decoded.details)")
        #expect(decoded.details.allSatisfy { $0.hasPrefix("Line 3 ") })
        #expect(decoded.refusals.map(\.payload) == [row])
    }

    @Test func countsLinesOverQuotedLineEndsAndChunks() {
        let text = "ts,device,note,t\n1,s,\"a\nb\",1\n2,s,x,1\n\n3,s,x\n4,s,x,2\n"
        for size in [1, 7, 1000] {
            let decoded = decode(chunks: pieces(Array(text.utf8), of: size))
            #expect(decoded.readings == ["s.t=1.0", "s.t=1.0", "s.t=2.0"])
            #expect(decoded.details.allSatisfy { $0.hasPrefix("Line 6 has 3 cells") }, "\(decoded.details)")
            #expect(decoded.reasons == [.malformed])
        }
    }

    @Test func doesNotLetAStrayQuoteSwallowRows() {
        var text = "ts,device,note,t\n"
        for row in 0..<50 { text += row == 20 ? "\(row),s,\"5 inch,1\n" : "\(row),s,x,1\n" }
        let decoded = decode(text)
        #expect(decoded.readings.count == 49)
        #expect(decoded.reasons == [.malformed])
        #expect(decoded.refusals.map(\.payload) == ["20,s,\"5 inch,1"])
    }

    @Test func marksAFireAlarmAndNamedLabels() {
        let smoke = decode(
            "UTC,Temperature[C],Fire Alarm\n1,20,0\n2,20,1\n", mapping: InputMapping(defaultSensor: "smoke"))
        #expect(smoke.events.map(\.label) == [EventLabel.normal.rawValue, EventLabel.anomalous.rawValue])
        #expect(smoke.readings == ["smoke.Temperature=20.0", "smoke.Temperature=20.0"])
        let named = decode(
            "ts,t,state,anomaly\n1,20,idle,1\n2,20,normal,1\n",
            mapping: InputMapping(defaultSensor: "x", labelColumn: "state"))
        #expect(named.events.map(\.label) == [EventLabel.anomalous.rawValue, EventLabel.normal.rawValue])
        #expect(named.readings == ["x.t=20.0", "x.t=20.0"])
    }

    @Test func takesUnitsFromBracketsAndNarrowColumns() {
        let table = SeriesTable(seed: 1)
        _ = decode("ts,device,TVOC[ppb],eCO2 [ppm]\n1,s,5,6\n", table: table)
        _ = decode("ts,device,metric,value,unit,location\n1,u,t,5,kelvin,roof\n", table: table)
        let units = table.withIndex { index in (0..<3).map { index.unit(of: SeriesID($0)) } }
        #expect(units == ["ppb", "ppm", "kelvin"])
        #expect(table.withIndex { $0.zone(of: SensorID(1)) } == "roof")
    }

    @Test func readsInputWithoutHeaderByColumnNumbers() {
        let mapping = InputMapping(sensor: "2", time: "1", values: ["3"])
        let decoded = decode("1759312800,7,21.5,9\n1759312801,7,22,9\n", format: .csv, mapping: mapping)
        #expect(decoded.readings == ["7.column3=21.5", "7.column3=22.0"])
        #expect(decoded.events.first?.payload == "1759312800,7,21.5,9")
    }

    @Test func looksForTheHeaderBehindGarbage() {
        let bytes: [UInt8] = [0, 1, 2, 0xff, 10] + Array("ts,device,t\n1,s,2\n".utf8)
        let decoded = decode(bytes, format: .csv)
        #expect(decoded.readings == ["s.t=2.0"])
        #expect(decoded.reasons == [.malformed])
    }

    @Test func rejectsEveryRowWithoutATimeColumn() {
        let decoded = decode("a,b\n1,2\n3,4\n", mapping: InputMapping(defaultSensor: "x"))
        #expect(decoded.reasons == [.missingField, .missingField])
        let received = decode("a,b\n1,2\n", mapping: InputMapping(defaultSensor: "x", timeFromReceipt: true))
        #expect(received.readings == ["x.a=1.0", "x.b=2.0"])
        #expect(received.events.first?.time == testOrigin.received.nanoseconds)
    }

    @Test func skipsRowsWithoutAnyValue() {
        let decoded = decode("ts,device,t\n1,s,\n2,s,5\n")
        #expect(decoded.readings == ["s.t=5.0"])
        #expect(decoded.refusals == [])
    }

    @Test func clipsRowsThatAreTooLong() {
        let limits = DecodeLimits(maximumMessageBytes: 100, clippedBytes: 10)
        let long = "9,s," + String(repeating: "9", count: 500)
        let text = Array("ts,device,t\n1,s,1\n\(long)\n2,s,2\n".utf8)
        for size in [1, 64, 5000] {
            let decoded = decode(chunks: pieces(text, of: size), limits: limits)
            #expect(decoded.readings == ["s.t=1.0", "s.t=2.0"])
            #expect(decoded.refusals == [.init(reason: .tooLong, payload: "9,s,999999")])
            #expect(decoded.details == ["Line 3 is longer than 100 bytes."])
        }
    }
}

func pieces(_ bytes: [UInt8], of size: Int) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
}
