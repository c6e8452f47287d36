import Ingest
import Testing

@Suite struct TopicTemplateTests {
    private func parts(_ template: String, filter: String, topic: String) throws -> [String: String]? {
        let template = try TopicTemplate(template, filter: filter)
        var ranges = [Range<Int>](repeating: 0..<0, count: TopicTemplate.nameLimit)
        let bytes = Array(topic.utf8)
        let isMatch = bytes.withUnsafeBytes { bytes in
            ranges.withUnsafeMutableBufferPointer { ranges in
                ranges.baseAddress.map { template.match(bytes, parts: $0) } ?? false
            }
        }
        guard isMatch else { return nil }
        let pairs = template.names.enumerated().map { ($1, String(decoding: bytes[ranges[$0]], as: UTF8.self)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test(arguments: [
        ("devices/{device}/telemetry", "devices/+/telemetry", "devices/dev-1/telemetry", ["device": "dev-1"]),
        ("{site}/{line}/{device}", "#", "north/7/dev-1", ["site": "north", "line": "7", "device": "dev-1"]),
        ("+/{device}/#", "#", "tele/sonoff/SENSOR/x", ["device": "sonoff"]),
        ("+/{device}/#", "#", "tele/sonoff", ["device": "sonoff"]),
        ("devices/{device}/{kind}", "devices/+/telemetry", "devices/d/telemetry", ["device": "d", "kind": "telemetry"]),
        ("{device}", "+", "dev-1", ["device": "dev-1"]),
        ("sensors/all", "sensors/#", "sensors/all", [:]),
        ("#", "a/+/{x}", "a/b/{x}", [:]),
        ("/{device}", "/+", "/d", ["device": "d"]),
        ("a/{device}/é", "a/+/é", "a/günther/é", ["device": "günther"]),
        ("a/{device}", "a/+", "a/", ["device": ""]),
        ("zigbee2mqtt/{device#}", "zigbee2mqtt/#", "zigbee2mqtt/ground/kitchen", ["device": "ground/kitchen"]),
        ("{table}/{device}/{field#}", "#", "home/d/a/b", ["table": "home", "device": "d", "field": "a/b"]),
        ("{device}/t", "$share/group/+/t", "d/t", ["device": "d"]),
    ])
    func namedPartsComeOutOfATopic(_ template: String, _ filter: String, _ topic: String, _ expected: [String: String]) throws {
        #expect(try parts(template, filter: filter, topic: topic) == expected)
    }

    @Test(arguments: [
        ("devices/{device}/telemetry", "devices/#", "devices/d/status"), ("devices/{device}/telemetry", "devices/#", "devices/d"),
        ("devices/{device}/telemetry", "devices/#", "devices/d/telemetry/x"), ("devices/{device}", "devices/+", "device/d"),
        ("devices/{device}/{kind}", "devices/+/telemetry", "devices/d/status"), ("{device}", "#", ""),
        ("a/b/#", "#", "a"), ("a/{device#}", "a/#", "a"), ("a/{device#}", "a/#", "a/"),
    ])
    func otherTopicsDoNotMatch(_ template: String, _ filter: String, _ topic: String) throws {
        if topic.isEmpty {
            #expect(try parts(template, filter: filter, topic: topic) == ["device": ""])
        } else {
            #expect(try parts(template, filter: filter, topic: topic) == nil)
        }
    }

    @Test(arguments: [
        ("", "a", "template is empty"), ("{device}", "", "filter is empty"), ("a/{device", "a/+", "must be a whole level"),
        ("a/x-{device}", "a/+", "must be a whole level"), ("a/{}", "a/+", "has no name"), ("{device}/{device}", "+/+", "occurs twice"),
        ("a/#/b", "#", "must be the whole last level"), ("a/b+", "#", "must be a whole level"), ("a", "a#", "must be the whole last level"),
        ("{device}", "$share/+/x", "must have the form $share/group/filter"), ("{device}", "$share/g", "must have the form"),
        ("{device#}/a", "#", "must be the whole last level"), ("a/{device#}", "a/+", "the filter must have \"#\""),
        ("a", "{a#}", "must be the whole last level"), ("a/{device}", "b/+", "level 1 is \"a\" in the topic template and \"b\""),
        ("a/{device}/c", "a/+", "has 3 levels and the filter has 2"),
        ((0..<17).map { "{p\($0)}" }.joined(separator: "/"), "#", "more than 16 parts"),
    ])
    func anErrorTellsWhatIsWrong(_ template: String, _ filter: String, _ text: String) {
        let error = #expect(throws: TopicTemplate.Invalid.self) { try TopicTemplate(template, filter: filter) }
        #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
}
