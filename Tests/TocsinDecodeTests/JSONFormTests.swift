import Testing
import TocsinCore
import TocsinDecode

struct JSONFormTests {
    @Test(arguments: [
        // wide
        (
            #"{"sensor_id":"s","timestamp":"2025-10-01T10:00:00Z","temperature":21.5,"humidity":40}"#,
            ["s.temperature=21.5", "s.humidity=40.0"]
        ),
        (#"{"device_id":"s","ts":1759312800,"t":1}"#, ["s.t=1.0"]),
        (#"{"sensor":"s","time":1759312800000,"t":1}"#, ["s.t=1.0"]),
        (#"{"device":"s","datetime":"2025-10-01 10:00:00","t":1}"#, ["s.t=1.0"]),
        (#"{"deviceId":"s","event_time":1759312800000000,"t":1}"#, ["s.t=1.0"]),
        (#"{"sensorId":"s","UTC":"1759312800","t":1}"#, ["s.t=1.0"]),
        (#"{"id":17,"Timestamp":1759312800.0,"t":1}"#, ["17.t=1.0"]),
        (#" { "sensor_id" : "s" , "timestamp" : 1759312800 , "t" : -1.5e2 } "#, ["s.t=-150.0"]),
        // booleans, numeric strings, metadata, null
        (#"{"sensor_id":"s","ts":1759312800,"on":true,"off":false}"#, ["s.on=1.0", "s.off=0.0"]),
        (#"{"sensor_id":"s","ts":1759312800,"t":"21.5","u":" +.5e1 "}"#, ["s.t=21.5", "s.u=5.0"]),
        (#"{"sensor_id":"s","ts":1759312800,"t":1,"model":"x1","note":"","x":null}"#, ["s.t=1.0"]),
        (
            #"{"sensor_id":"s","ts":1759312800,"t":1,"tags":{"a":1,"b":[1,{"c":2}]},"deep":{"x":{"y":3}},"l":[1,2]}"#,
            ["s.t=1.0"]
        ),
        (#"{"sensor_id":"s","ts":1759312800,"t":1,"row":5,"CNT":6,"version":2,"event_id":"e","label":0}"#, ["s.t=1.0"]),
        // smoke names
        (
            #"{"sensor_id":"s","ts":1759312800,"Temperature[C]":27.4,"Raw H2":12844,"Fire Alarm":0}"#,
            ["s.Temperature=27.4", "s.Raw H2=12844.0"]
        ),
        // narrow
        (
            #"{"sensor_id":"s","timestamp":"2025-10-01T10:00:00Z","metric":"temperature","value":25.5,"meta":{"unit":"celsius","location":"z"}}"#,
            ["s.temperature=25.5"]
        ),
        (#"{"value":"25.5","name":"temperature","ts":1759312800,"device":"s","battery":3.1}"#, ["s.temperature=25.5"]),
        (#"{"sensor_id":"s","ts":1759312800,"measurement":"t","value":true}"#, ["s.t=1.0"]),
        // a value without a metric, a name without a value
        (#"{"sensor_id":"s","ts":1759312800,"value":3}"#, ["s.value=3.0"]),
        (#"{"sensor_id":"s","ts":1759312800,"name":"Boiler","t":3}"#, ["s.t=3.0"]),
        // duplicates: the last wins
        (#"{"sensor_id":"x","sensor_id":"s","ts":1,"ts":1759312800,"t":1,"u":2,"t":3}"#, ["s.t=3.0", "s.u=2.0"]),
        (#"{"sensor_id":"s","ts":1759312800,"t":1,"t":null,"u":2}"#, ["s.u=2.0"]),
        // better names win over worse ones
        (#"{"id":"x","sensor":"y","sensor_id":"s","utc":1,"timestamp":1759312800,"t":1}"#, ["s.t=1.0"]),
        (#"{"sensor_id":null,"device":"s","ts":1759312800,"t":1}"#, ["s.t=1.0"]),
        // escapes
        (#"{"sensor\u005fid":"a\"\\\/\u00e4\ud83d\ude00","ts":1759312800,"t\u0065mp":1}"#, ["a\"\\/ä😀.temp=1.0"]),
        (#"{"sensor_id":"a\ud800","ts":1759312800,"t":1}"#, ["a\u{fffd}.t=1.0"]),
    ])
    func decodes(text: String, readings: [String]) {
        let decoded = decode(text)
        #expect(decoded.readings == readings)
        #expect(decoded.refusals == [], "\(decoded.details)")
        #expect(decoded.events.map(\.time) == [tenOClock])
        #expect(decoded.events.first?.payload.first == "{")
    }

    @Test(arguments: [
        (#"{"ts":1759312800,"t":1}"#, DeadLetterReason.missingField),
        (#"{"sensor_id":"","ts":1759312800,"t":1}"#, .missingField),
        (#"{"sensor_id":true,"ts":1759312800,"t":1}"#, .missingField),
        (#"{"sensor_id":"s","t":1}"#, .missingField),
        (#"{"sensor_id":"s","ts":null,"t":1}"#, .missingField),
        (#"{"sensor_id":"s","ts":1759312800}"#, .missingField),
        (#"{"sensor_id":"s","ts":1759312800,"data":{"t":1}}"#, .missingField),
        (#"{}"#, .missingField),
        (#"{"sensor_id":"s","ts":"yesterday","t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":true,"t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":{"a":1},"t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":-5,"t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":1e300,"t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":"1492-10-12","t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":NaN,"t":1}"#, .badTime),
        (#"{"sensor_id":"s","ts":1759312800,"metric":"t","value":"abc"}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"metric":"t","value":{"a":1}}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"t":"NaN"}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"t":"-inf"}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"t":NaN}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"t":-Infinity}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"t":1e999}"#, .notANumber),
        (#"{"sensor_id":"s","ts":1759312800,"t":1"#, .malformed),
        (#"{"sensor_id":"s","ts":1759312800,"t":}"#, .malformed),
        (#"{"sensor_id":"s","ts":1759312800,"t":1,}"#, .malformed),
        (#"{"sensor_id":"s" "ts":1759312800}"#, .malformed),
        (#"{"sensor_id""s"}"#, .malformed),
        (#"{"sensor_id":"s","t":01}"#, .malformed),
        (#"{"sensor_id":"s","t":1.}"#, .malformed),
        (#"{"sensor_id":"s","t":+1}"#, .malformed),
        (#"{"sensor_id":"s","t":1x}"#, .malformed),
        (#"{"sensor_id":"s","t":tru}"#, .malformed),
        (#"{"sensor_id":"s\q","ts":1759312800,"t":1}"#, .malformed),
        (#"{"sensor_id":"s\u12","ts":1759312800,"t":1}"#, .malformed),
        ("{\"sensor_id\":\"s\u{1}\",\"ts\":1759312800,\"t\":1}", .malformed),
        (#"{'sensor_id':'s'}"#, .malformed),
        (#"{"a":[1,2}"#, .malformed),
        (#"{"a":{"b":1]}"#, .malformed),
        (#"[1,2,3]"#, .malformed),
        (#"["a"]"#, .malformed),
    ])
    func refuses(text: String, reason: DeadLetterReason) {
        let decoded = decode(text, format: .json)
        #expect(decoded.reasons == [reason], "\(decoded.details)")
        #expect(decoded.events == [])
        #expect(decoded.details.allSatisfy { $0.count < 250 })
    }

    @Test func refusesOneFieldAndKeepsTheOthers() {
        let decoded = decode(#"{"sensor_id":"s","ts":1759312800,"a":1,"b":"NaN","c":NaN,"d":2}"#)
        #expect(decoded.readings == ["s.a=1.0", "s.d=2.0"])
        #expect(decoded.reasons == [.notANumber, .notANumber])
        #expect(decoded.details[0].contains("`b`"))
    }

    @Test func missesANumberWhereThereWasOneBefore() {
        let decoded = decode(
            #"""
            {"sensor_id":"s","ts":1759312800,"t":"warm"}
            {"sensor_id":"s","ts":1759312801,"t":20.5}
            {"sensor_id":"s","ts":1759312802,"t":"ERR"}
            {"sensor_id":"s","ts":1759312803,"t":[20.5]}
            {"sensor_id":"s","ts":1759312804,"t":null}
            """#)
        #expect(decoded.readings == ["s.t=20.5"])
        #expect(decoded.reasons == [.missingField, .notANumber, .notANumber])
        #expect(decoded.details[1].contains("\"ERR\""))
        #expect(decoded.details[2].contains("an array"))
    }

    @Test func takesUnitsAndZonesOfNewNames() {
        let table = SeriesTable(seed: 1)
        _ = decode(
            #"""
            {"sensor_id":"s","ts":1,"metric":"t","value":1,"meta":{"unit":"celsius","location":"hall"}}
            {"sensor_id":"s","ts":2,"metric":"t","value":1,"unit":"kelvin","zone":"cellar"}
            {"sensor_id":"u","ts":2,"Temperature[C]":1,"tags":{"zone":"roof"}}
            """#, table: table)
        let units = table.withIndex { index in (0..<2).map { index.unit(of: SeriesID($0)) } }
        let zones = table.withIndex { index in (0..<2).map { index.zone(of: SensorID($0)) } }
        #expect(units == ["celsius", "C"])
        #expect(zones == ["hall", "roof"])
    }

    @Test func hashesEventIDs() {
        let decoded = decode(
            #"{"event_id":"6f1c","sensor_id":"s","ts":1,"t":1}{"sensor_id":"s","ts":1,"t":1}{"event_id":7,"sensor_id":"s","ts":1,"t":1}"#
        )
        var hash = StableHash()
        hash.combine("6f1c")
        #expect(decoded.events.count == 3)
        #expect(decoded.events.first?.key == hash.value)
        #expect(decoded.events.dropFirst().first?.key == 0)
        #expect(decoded.events.last?.key != 0)
    }

    @Test(arguments: [
        (#""anomaly_injected":true"#, EventLabel.anomalous), (#""anomaly_injected":false"#, .normal),
        (#""anomaly_injected":true,"anomaly_type":"drift""#, .anomalous(.drift)),
        (#""anomaly_type":"spike""#, .anomalous(.spike)), (#""anomaly_type":"odd""#, .anomalous),
        (#""anomaly_injected":false,"anomaly_type":"spike""#, .normal), (#""anomaly_type":null"#, .none),
        (#""Fire Alarm":1"#, .anomalous), (#""Fire Alarm":"0""#, .normal), (#""label":"kitchen""#, .none),
        (#""label":1"#, .anomalous), (#""x":1"#, .none),
    ])
    func readsLabelsAndKeepsThemFromTheMetrics(field: String, label: EventLabel) {
        let decoded = decode("{\"sensor_id\":\"s\",\"ts\":1,\"t\":1,\(field)}")
        #expect(decoded.events.map(\.label) == [label.rawValue])
        #expect(decoded.readings.filter { !$0.hasPrefix("s.x") } == ["s.t=1.0"])
    }

    @Test(arguments: [
        "[A,B,C]", "[\nA,\nB,\nC\n]\n", "A\nB\nC", "A\r\nB\r\nC\r\n", "\n\nA\n\nB\nC\n\n", "A B C", "ABC", "A,B,C",
        "[A]\n[B,C]\n", "[A,B]C", "\u{feff}A\nB\nC\n", "\u{feff}[A,B,C]", "[[A],[B,C]]",
    ])
    func findsMessagesHoweverTheyAreArranged(arrangement: String) {
        for isPretty in [false, true] {
            var text = arrangement
            for (number, letter) in ["A", "B", "C"].enumerated() {
                let compact =
                    "{\"sensor_id\":\"\(letter.lowercased())\",\"ts\":\(number),\"meta\":{\"x\":[{}]},\"t\":\(number)}"
                let pretty = compact.replacing(",", with: ",\n  ").replacing("{", with: "{\n ").replacing(
                    ":", with: ": ")
                text = text.replacing(letter, with: isPretty ? pretty : compact)
            }
            let decoded = decode(text)
            #expect(decoded.readings == ["a.t=0.0", "b.t=1.0", "c.t=2.0"], "\(text)")
            #expect(decoded.refusals == [], "\(decoded.details) \(text)")
            #expect(decode(chunks: [Array(text.utf8)]) == decoded)
        }
    }
}
