import Dialects
import Telemetry
import Testing

/// Topics and payloads of https://homieiot.github.io/specification/spec-core-v4_0_0/ and …/specification/ (version 5).
@Suite struct HomieTests {
    @Test func valuesBecomeFieldsOfTheDevice() {
        let listener = Listener(.homie)
        let heard = listener.hear("21.5", topic: "homie/super-car/engine/temperature")
        #expect(heard.readings == [Reading(device: "super-car", time: nil, fields: ["engine.temperature": .double(21.5)])])
        let five = listener.hear("22", topic: "homie/5/super-car/engine/temperature")
        #expect(five.readings == [Reading(device: "super-car", time: nil, fields: ["engine.temperature": .integer(22)])])
        let templated = listener.hear("7", topic: "site/a/my-car/wheels/count", device: "my-car")
        #expect(templated.readings == [Reading(device: "my-car", time: nil, fields: ["wheels.count": .integer(7)])])
    }

    @Test func declaredTypesDecide() {
        let listener = Listener(.homie)
        #expect(listener.hear("float", topic: "homie/car/engine/temperature/$datatype").isIgnored)
        #expect(listener.hear("string", topic: "homie/car/engine/serial/$datatype").isIgnored)
        #expect(listener.hear("boolean", topic: "homie/car/lights/on/$datatype").isIgnored)
        #expect(listener.hear("integer", topic: "homie/car/engine/speed/$datatype").isIgnored)
        #expect(listener.hear("22", topic: "homie/car/engine/temperature").readings.first?.fields == ["engine.temperature": .double(22)])
        #expect(listener.hear("0042", topic: "homie/car/engine/serial").readings.first?.fields == ["engine.serial": .string("0042")])
        #expect(listener.hear("\0", topic: "homie/car/engine/serial").readings.first?.fields == ["engine.serial": .string("")])
        #expect(listener.hear("true", topic: "homie/car/lights/on").readings.first?.fields == ["lights.on": .boolean(true)])
        #expect(listener.hear("1.5", topic: "homie/car/engine/speed").rejection?.reason == .badValue)
        #expect(listener.hear("x", topic: "homie/car/lights/on").rejection?.reason == .badValue)
        #expect(listener.hear("x", topic: "homie/car/engine/temperature").rejection?.reason == .badValue)
        #expect(listener.hear("nan", topic: "homie/car/engine/temperature").isIgnored)
    }

    @Test func theDescriptionOfVersionFiveDeclaresTypes() {
        let listener = Listener(.homie)
        let description = """
            {"homie":"5.0","name":"Supercar","version":7,"nodes":{"wheels":{"name":"The wheels","properties":
            {"speed":{"name":"Speed","datatype":"float","unit":"m/s"},"kind":{"datatype":"enum","format":"a,b"}}}}}
            """
        #expect(listener.hear(description, topic: "homie/5/car/$description").isIgnored)
        #expect(listener.hear("12", topic: "homie/5/car/wheels/speed").readings.first?.fields == ["wheels.speed": .double(12)])
        #expect(listener.hear("1", topic: "homie/5/car/wheels/kind").readings.first?.fields == ["wheels.kind": .string("1")])
        #expect(listener.hear("{", topic: "homie/5/car/$description").rejection?.reason == .undecodable)
    }

    @Test func aLongDescriptionDeclaresItsTypes() {
        let listener = Listener(.homie)
        let properties = (0..<1_500).map { #""p\#($0)":{"name":"P","format":"0:1","settable":true,"datatype":"float"}"# }.joined(
            separator: ",")
        let description =
            #"{"homie":"5.0","nodes":{"n":{"properties":{\#(properties)}},"odd.id":{"properties":{"q":{"datatype":"string"}}}}}"#
        #expect(listener.hear(description, topic: "homie/5/car/$description").isIgnored)
        #expect(listener.hear("12", topic: "homie/5/car/n/p1499").readings.first?.fields == ["n.p1499": .double(12)])
        #expect(listener.hear("12", topic: "homie/5/car/odd.id/q").readings.first?.fields == ["odd.id.q": .string("12")])
        #expect(listener.hear("[1]", topic: "homie/5/car/$description").rejection?.reason == .undecodable)
        for other in ["{}", #"{"nodes":[]}"#, #"{"nodes":{"n":1}}"#, #"{"nodes":{"n":{"properties":{"p":{"datatype":1}}}}}"#] {
            #expect(listener.hear(other, topic: "homie/5/car/$description").isIgnored, "\(other)")
        }
    }

    /// What is known and what is noted are the same, also of a description that cannot be taken.
    @Test func aDescriptionIsTakenWholeOrNotAtAll() {
        let listener = Listener(.homie)
        let long = String(repeating: "p", count: Limits.fieldNameByteCount)
        let description = #"{"nodes":{"n":{"properties":{"a":{"datatype":"float"},"\#(long)":{"datatype":"float"}}}}}"#
        #expect(listener.hear(description, topic: "homie/5/car/$description").rejection?.reason == .fieldNameTooLong)
        #expect(listener.hear("12", topic: "homie/5/car/n/a").readings.first?.fields == ["n.a": .integer(12)])
        let many = (0...4_096).map { #""p\#($0)":{"datatype":"float"}"# }.joined(separator: ",")
        let tooMany = #"{"nodes":{"n":{"properties":{\#(many)}}}}"#
        #expect(listener.hear(tooMany, topic: "homie/5/car/$description").rejection?.reason == .fieldLimit)
        #expect(listener.hear("12", topic: "homie/5/car/n/p0").readings.first?.fields == ["n.p0": .integer(12)])
        listener.commit()
        #expect(listener.notes.isEmpty)
    }

    @Test func aDeviceWithTooLongAnIDIsNotRemembered() {
        let listener = Listener(.homie)
        let long = String(repeating: "d", count: Limits.deviceByteCount + 1)
        #expect(listener.hear("float", topic: "homie/\(long)/e/t/$datatype").rejection?.reason == .deviceTooLong)
        listener.commit()
        #expect(listener.notes.isEmpty)
    }

    @Test func typesSurviveARestartAndAFailedCommitForgetsThem() {
        let listener = Listener(.homie)
        _ = listener.hear("float", topic: "homie/car/e/t/$datatype")
        listener.commit()
        // docs/format/homie-note.md: version 1, one property, its name, float.
        #expect(listener.notes == ["homie/homie/car": [1, 1, 3] + Array("e/t".utf8) + [2]])
        _ = listener.hear("float", topic: "homie/car/e/t/$datatype")
        _ = listener.hear("integer", topic: "homie/car/e/u/$datatype")
        listener.forget()
        #expect(listener.hear("1", topic: "homie/car/e/t").readings.first?.fields == ["e.t": .double(1)])
        #expect(listener.hear("1.5", topic: "homie/car/e/u").readings.first?.fields == ["e.u": .double(1.5)])
        let restarted = Listener(.homie, notes: listener.notes)
        #expect(restarted.hear("1", topic: "homie/car/e/t").readings.first?.fields == ["e.t": .double(1)])
    }

    /// A stranger who invents topics fills 256 MiB and no more: these take 131 kB each.
    @Test func memoryHasALimit() {
        let listener = Listener(.homie)
        let base = String(repeating: "b", count: 65_000)
        var refused: Rejection?
        var count = 0
        while refused == nil, count < 2_200 {
            refused = listener.hear("1", topic: "\(base)/d\(count)/n/p").rejection
            count += 1
        }
        #expect(refused == Rejection(.fieldLimit, "the Homie devices of this subscription have more names than 256 MiB hold"))
        #expect((1_900..<2_100).contains(count), "\(count)")
        #expect(listener.hear("1", topic: "\(base)/d0/n/p").readings.count == 1)
        listener.forget()
        #expect(listener.hear("1", topic: "\(base)/new/n/p").readings.count == 1)
    }

    @Test func damagedNotesAreNotUsed() {
        let good: [UInt8] = [1, 1, 3] + Array("e/t".utf8) + [2]
        let bad: [[UInt8]] = [[], [2], [1], [1, 2], [1, 1, 3], good + [0], Array(good.dropLast()), [1, 1, 3] + Array("e/t".utf8) + [9]]
        for note in bad {
            let listener = Listener(.homie, notes: ["homie/homie/car": note])
            #expect(listener.hear("1", topic: "homie/car/e/t").readings.first?.fields == ["e.t": .integer(1)], "\(note)")
        }
    }

    @Test(arguments: [
        ("ready", "online"), ("init", "online"), ("alert", "online"), ("lost", "offline"), ("disconnected", "offline"),
        ("sleeping", "offline"),
    ])
    func theStateIsTheDevices(_ word: String, _ state: String) {
        for topic in ["homie/car/$state", "homie/5/car/$state"] {
            #expect(
                Listener(.homie).hear(word, topic: topic).readings == [
                    Reading(device: "car", time: nil, fields: ["$state": .string(state)])
                ])
        }
    }

    @Test(
        arguments: [
            "homie/car/$name", "homie/car/$nodes", "homie/car/engine/$properties", "homie/car/engine/speed/$unit",
            "homie/car/engine/speed/set",
            "homie/5/car/engine/speed/$target", "homie/5/car/engine/speed/set", "homie/$broadcast/alert", "homie/5/$broadcast/security",
            "homie/5/car/$alert/battery", "homie/5/car/$log/info",
        ])
    func otherTopicsOfTheConventionAreIgnored(_ topic: String) {
        let heard = Listener(.homie).hear("1", topic: topic)
        #expect(heard.isIgnored, "\(heard.outcome)")
    }

    @Test(arguments: [
        "homie", "homie/car", "homie/car/engine", "homie/5/car", "homie/5/car/engine", "homie//engine/x", "homie/car//x", "homie/car/a/b/c",
        "homie/car/a/",
    ])
    func topicsOutsideTheConventionAreRejected(_ topic: String) {
        #expect(Listener(.homie).hear("1", topic: topic).rejection?.reason == .unmatchedTopic)
        #expect(Listener(.homie).hear("1", topic: topic, device: "none").rejection?.reason == .unmatchedTopic)
        #expect(Listener(.homie).hear("1", topic: "", device: "none").rejection?.reason == .unmatchedTopic)
        #expect(Listener(.homie).hear("bad", topic: "homie/car/$state").rejection?.reason == .badValue)
    }
}
