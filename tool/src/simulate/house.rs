//! A house: three rooms with lights and heating, a porch with a door, and a meter for electricity.
//!
//! The zone of a room is its number, 4 is the porch. The lights of a room have the subzones 1 and 2,
//! its radiator has 9. The nodes differ in the last byte of their GUID: that of a room is its zone,
//! and 5 is the meter.

use std::{collections::VecDeque, f64::consts::TAU};

use vscpl2drv_websocksrv::event::{
    Data, Event, Guid,
    measurement::{Form, Measurement},
};

const ALARM: u16 = 1;
const ALARM_ALARM: u16 = 2;
const SECURITY: u16 = 2;
const SECURITY_MOTION: u16 = 1;
const INFORMATION: u16 = 20;
const ON: u16 = 3;
const OFF: u16 = 4;
const OPENED: u16 = 7;
const CLOSED: u16 = 8;
const HEARTBEAT: u16 = 9;
const LEVEL_CHANGED: u16 = 40;
const CONTROL: u16 = 30;
const TURN_ON: u16 = 5;
const TURN_OFF: u16 = 6;
const DIM: u16 = 20;
/// A measurement with a zone, and a value to be set there.
const MEASURE_ZONE: u16 = 65;
const SET_VALUE_ZONE: u16 = 85;

const TEMPERATURE: u16 = 6;
const PRESSURE: u16 = 12;
const ENERGY: u16 = 13;
const POWER: u16 = 14;
const HUMIDITY: u16 = 35;

/// Units of the quantities.
const CELSIUS: u8 = 1;
const KILOWATT_HOURS: u8 = 1;

const PORCH: u8 = 4;
const METER: u8 = 5;
const RADIATOR: u8 = 9;
/// Every zone, or every subzone of one.
const ALL: u8 = 255;

/// Temperatures that a room can be heated to.
const WANTED: std::ops::RangeInclusive<f64> = 5.0..=30.0;

/// Hours that pass in the house in a second.
const HOURS: f64 = 1.0 / 60.0;

/// The house, which is told the time and what its lights and heating are to do.
pub(super) struct House {
    guid: Guid,
    rooms: [Room; 3],
    lights: [Light; 4],
    door_is_open: bool,
    /// In kWh.
    energy: f64,
    /// Seconds since the start.
    now: f64,
    /// How many events of [`ROUND`] have been made, over all rounds.
    position: usize,
    /// How often [`Told::Happening`] has come.
    happened: usize,
    /// Events that come before those of the round.
    news: VecDeque<Event>,
}

struct Room {
    zone: u8,
    temperature: f64,
    wanted: f64,
    humidity: f64,
    is_heated: bool,
}

struct Light {
    zone: u8,
    subzone: u8,
    is_on: bool,
    /// `None` if it cannot be dimmed.
    level: Option<u8>,
}

/// What is told once in a round, in this order.
#[derive(Clone, Copy)]
enum Told {
    Temperature(usize),
    Humidity(usize),
    Wanted(usize),
    Outdoors,
    Pressure,
    Power,
    Energy,
    Heartbeat(u8),
    Happening,
}

const ROUND: [Told; 20] = [
    Told::Temperature(0),
    Told::Temperature(1),
    Told::Temperature(2),
    Told::Outdoors,
    Told::Power,
    Told::Heartbeat(1),
    Told::Humidity(0),
    Told::Humidity(1),
    Told::Humidity(2),
    Told::Happening,
    Told::Heartbeat(2),
    Told::Pressure,
    Told::Energy,
    Told::Heartbeat(3),
    Told::Wanted(0),
    Told::Wanted(1),
    Told::Wanted(2),
    Told::Heartbeat(PORCH),
    Told::Happening,
    Told::Heartbeat(METER),
];

impl House {
    /// Makes the house. The GUIDs of its nodes are `guid` with another last byte.
    pub(super) fn new(guid: Guid) -> Self {
        let room = |zone, temperature, wanted, humidity| Room {
            zone,
            temperature,
            wanted,
            humidity,
            is_heated: false,
        };
        let light = |zone, subzone, is_on, level| Light {
            zone,
            subzone,
            is_on,
            level,
        };
        let mut house = Self {
            guid,
            rooms: [
                room(1, 20.6, 21.0, 43.0),
                room(2, 21.9, 21.5, 51.0),
                room(3, 18.1, 18.0, 47.0),
            ],
            lights: [
                light(1, 1, true, Some(70)),
                light(1, 2, false, None),
                light(2, 1, false, None),
                light(3, 1, false, Some(30)),
            ],
            door_is_open: false,
            energy: 8412.3,
            now: 0.0,
            position: 0,
            happened: 0,
            news: VecDeque::new(),
        };
        // The values that people look at first, and then how all stands.
        for index in 0..house.rooms.len() {
            let event = house.told(Told::Temperature(index));
            house.news.push_back(event);
        }
        for index in 0..house.lights.len() {
            house.tell_light(index);
        }
        house.tell_door();
        house
    }

    /// Lets the time go on to `seconds` since the start, and returns the next event.
    pub(super) fn next(&mut self, seconds: f64) -> Event {
        self.live(seconds - self.now);
        self.now = seconds;
        if let Some(event) = self.news.pop_front() {
            return event;
        }
        let told = ROUND[self.position % ROUND.len()];
        self.position += 1;
        self.told(told)
    }

    /// Does what an event asks of lights and heating.
    pub(super) fn obey(&mut self, event: &Event) {
        match (event.class, event.kind, &event.data[..]) {
            (CONTROL, TURN_ON | TURN_OFF, &[_, zone, subzone, ..]) => {
                for index in self.lights_of(zone, subzone) {
                    self.lights[index].is_on = event.kind == TURN_ON;
                    self.tell_light(index);
                }
            }
            (CONTROL, DIM, &[level, zone, subzone, ..]) => {
                for index in self.lights_of(zone, subzone) {
                    let light = &mut self.lights[index];
                    if light.level.is_some() {
                        light.level = Some(level.min(100));
                        light.is_on = level > 0;
                        self.tell_light(index);
                    }
                }
            }
            (SET_VALUE_ZONE, TEMPERATURE, _) => {
                let Some(wish) = Measurement::of(event) else {
                    return;
                };
                let index = self.rooms.iter().position(|room| room.zone == wish.zone);
                if let Some(index) = index.filter(|_| WANTED.contains(&wish.value)) {
                    self.rooms[index].wanted = wish.value;
                    let event = self.told(Told::Wanted(index));
                    self.news.push_back(event);
                }
            }
            _ => {}
        }
    }

    /// Returns the next event of those that answer or that tell of a change.
    pub(super) fn news(&mut self) -> Option<Event> {
        self.news.pop_front()
    }

    fn lights_of(&self, zone: u8, subzone: u8) -> Vec<usize> {
        let concerns = |light: &Light| {
            [light.zone, ALL].contains(&zone) && [light.subzone, ALL].contains(&subzone)
        };
        let lights = self.lights.iter().enumerate();
        let lights = lights.filter(|(_, light)| concerns(light));
        lights.map(|(index, _)| index).collect()
    }

    /// Lets some seconds pass: rooms get warmer or colder, and the meter turns.
    fn live(&mut self, seconds: f64) {
        // Not more than a quarter of an hour at a time, or the heating would overshoot.
        let hours = (seconds * HOURS).clamp(0.0, 0.25);
        let outdoors = self.outdoors();
        self.energy += self.power() / 1000.0 * hours;
        let mut changed = Vec::new();
        for room in &mut self.rooms {
            let warms = if room.is_heated { 3.0 } else { 0.0 };
            room.temperature += (warms - (room.temperature - outdoors) * 0.08) * hours;
            let limit = if room.is_heated { 0.2 } else { -0.2 };
            let is_heated = room.temperature < room.wanted + limit;
            if is_heated != room.is_heated {
                room.is_heated = is_heated;
                changed.push((room.zone, is_heated));
            }
        }
        for (zone, is_heated) in changed {
            let kind = if is_heated { ON } else { OFF };
            self.tell(kind, zone, RADIATOR, 0);
        }
    }

    /// Returns the temperature outdoors, which has a day of 24 hours.
    fn outdoors(&self) -> f64 {
        4.0 + 3.0 * (TAU * self.now * HOURS / 24.0).sin() + 0.2 * (self.now / 7.0).sin()
    }

    /// Returns the power of all that is on, in watt.
    fn power(&self) -> f64 {
        let lights = self.lights.iter().filter(|light| light.is_on);
        let lights = lights.map(|light| 12.0 * f64::from(light.level.unwrap_or(100)) / 100.0);
        let heating = self.rooms.iter().filter(|room| room.is_heated).count();
        180.0 + 25.0 * (self.now / 11.0).sin() + lights.sum::<f64>() + 750.0 * heating as f64
    }

    fn told(&mut self, told: Told) -> Event {
        match told {
            Told::Temperature(index) => {
                let room = &self.rooms[index];
                let value = rounded(room.temperature, 2);
                self.measurement(room.zone, TEMPERATURE, CELSIUS, value)
            }
            Told::Humidity(index) => {
                let room = &self.rooms[index];
                let value = room.humidity + 2.0 * (self.now / (50.0 + 10.0 * index as f64)).sin();
                self.measurement(room.zone, HUMIDITY, 0, rounded(value, 1))
            }
            Told::Wanted(index) => {
                let Room { zone, wanted, .. } = self.rooms[index];
                // Behind index, zone and subzone stands what a measurement of class 10 has.
                let plain = self.measurement(zone, TEMPERATURE, CELSIUS, wanted);
                let data = [&[1, zone, 0][..], &plain.data[..]].concat();
                self.event(MEASURE_ZONE, TEMPERATURE, zone, &data)
            }
            Told::Outdoors => {
                let value = rounded(self.outdoors(), 2);
                self.measurement(PORCH, TEMPERATURE, CELSIUS, value)
            }
            Told::Pressure => {
                let value = 101_300.0 + 400.0 * (self.now / 90.0).sin();
                self.measurement(PORCH, PRESSURE, 0, rounded(value, 0))
            }
            Told::Power => self.measurement(METER, POWER, 0, rounded(self.power(), 0)),
            Told::Energy => {
                let value = rounded(self.energy, 2);
                self.measurement(METER, ENERGY, KILOWATT_HOURS, value)
            }
            Told::Heartbeat(node) => self.event(INFORMATION, HEARTBEAT, node, &[0, node, 0]),
            Told::Happening => self.happening(),
        }
    }

    /// Lets something happen at the door; now and then there is an alarm.
    fn happening(&mut self) -> Event {
        self.happened += 1;
        match self.happened % 40 {
            // Code 0 would be the end of one.
            20 => self.event(ALARM, ALARM_ALARM, 2, &[1, 2, 1]),
            n if n % 4 == 1 => self.event(SECURITY, SECURITY_MOTION, PORCH, &[0, PORCH, 1]),
            n if n % 4 == 2 => {
                self.door_is_open = true;
                self.door()
            }
            n if n % 4 == 3 => {
                self.door_is_open = false;
                self.door()
            }
            _ => self.light(1),
        }
    }

    fn tell_door(&mut self) {
        let event = self.door();
        self.news.push_back(event);
    }

    fn door(&self) -> Event {
        let kind = if self.door_is_open { OPENED } else { CLOSED };
        self.event(INFORMATION, kind, PORCH, &[0, PORCH, 1])
    }

    fn tell_light(&mut self, index: usize) {
        let event = self.light(index);
        self.news.push_back(event);
        let light = &self.lights[index];
        if let Some(level) = light.level {
            self.tell(LEVEL_CHANGED, light.zone, light.subzone, level);
        }
    }

    fn light(&self, index: usize) -> Event {
        let light = &self.lights[index];
        let kind = if light.is_on { ON } else { OFF };
        let data = [0, light.zone, light.subzone];
        self.event(INFORMATION, kind, light.zone, &data)
    }

    fn tell(&mut self, kind: u16, zone: u8, subzone: u8, level: u8) {
        let event = self.event(INFORMATION, kind, zone, &[level, zone, subzone]);
        self.news.push_back(event);
    }

    /// Makes a measurement of sensor 0 of a node.
    fn measurement(&self, node: u8, kind: u16, unit: u8, value: f64) -> Event {
        let measurement = Measurement {
            kind,
            value,
            unit,
            sensor: 0,
            zone: 0,
            subzone: 0,
        };
        let event = measurement.to_event(Form::Level1);
        // All values of the house are of the range of the form.
        let event = event.unwrap_or_else(|| self.event(0, 0, node, &[]));
        Event {
            guid: self.guid_of(node),
            ..event
        }
    }

    fn event(&self, class: u16, kind: u16, node: u8, data: &[u8]) -> Event {
        Event {
            head: if class == ALARM { 0 } else { 3 << 5 },
            class,
            kind,
            obid: 0,
            date: None,
            timestamp: 0,
            unix_ns: None,
            guid: self.guid_of(node),
            data: Data::copy_from(data).unwrap_or_default(),
        }
    }

    fn guid_of(&self, node: u8) -> Guid {
        let mut guid = self.guid;
        guid.0[15] = node;
        guid
    }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> House {
        House::new(Guid([0xFE; 16]))
    }

    /// The events of so many seconds, two in a second.
    fn events(house: &mut House, seconds: usize) -> Vec<Event> {
        let start = house.now;
        let times = (1..=2 * seconds).map(|half| start + half as f64 / 2.0);
        times.map(|now| house.next(now)).collect()
    }

    fn values(events: &[Event], node: u8, kind: u16) -> Vec<f64> {
        let of_node = events.iter().filter(|event| event.guid.0[15] == node);
        let measurements = of_node.filter(|event| event.class == 10 && event.kind == kind);
        measurements
            .map(|event| Measurement::of(event).unwrap().value)
            .collect()
    }

    fn command(kind: u16, data: &[u8]) -> Event {
        house().event(CONTROL, kind, 7, data)
    }

    fn answers(house: &mut House, event: &Event) -> Vec<(u16, Vec<u8>)> {
        while house.news().is_some() {}
        house.obey(event);
        std::iter::from_fn(|| house.news())
            .map(|event| (event.kind, event.data.to_vec()))
            .collect()
    }

    #[test]
    fn the_rooms_are_heated_to_about_what_is_wanted() {
        let mut house = house();
        let events = events(&mut house, 3600);
        for (index, wanted) in [(1, 21.0), (2, 21.5), (3, 18.0)] {
            let values = values(&events, index, TEMPERATURE);
            assert!(values.len() > 100, "{}", values.len());
            for value in &values[values.len() / 2..] {
                assert!((value - wanted).abs() < 1.0, "{index}: {value}");
            }
        }
        let radiator = |event: &&Event| event.class == INFORMATION && event.data[2] == RADIATOR;
        assert!(events.iter().filter(radiator).count() > 10);
    }

    #[test]
    fn the_meter_never_turns_back_and_all_quantities_are_told() {
        let mut house = house();
        let events = events(&mut house, 600);
        let energy = values(&events, METER, ENERGY);
        assert!(energy.is_sorted() && energy.last() > energy.first());
        for (node, kind, low, high) in [
            (METER, POWER, 100.0, 3000.0),
            (PORCH, TEMPERATURE, 0.0, 8.0),
            (PORCH, PRESSURE, 100_000.0, 102_000.0),
            (1, HUMIDITY, 30.0, 60.0),
        ] {
            let values = values(&events, node, kind);
            assert!(values.len() > 10, "{kind}");
            assert!(values.iter().all(|value| (low..high).contains(value)));
        }
        for node in 1..=METER {
            let of_node = |event: &&Event| event.guid.0[15] == node && event.kind == HEARTBEAT;
            assert!(events.iter().filter(of_node).count() > 10);
        }
        let classes = |class| events.iter().filter(|event| event.class == class).count();
        assert!(classes(ALARM) > 0 && classes(ALARM) < classes(SECURITY));
        assert!(events.iter().all(|event| event.class != 0));
    }

    #[test]
    fn the_temperatures_of_the_rooms_come_first() {
        let mut house = house();
        for zone in 1..=3 {
            let event = house.next(0.0);
            assert_eq!((event.class, event.kind, event.guid.0[15]), (10, 6, zone));
        }
    }

    #[test]
    fn lights_do_what_they_are_told_and_say_so() {
        let mut house = house();
        let on = command(TURN_ON, &[0, 1, 2]);
        assert_eq!(answers(&mut house, &on), [(ON, vec![0, 1, 2])]);
        let off = command(TURN_OFF, &[0, ALL, 1]);
        let expected = [
            (OFF, vec![0, 1, 1]),
            (LEVEL_CHANGED, vec![70, 1, 1]),
            (OFF, vec![0, 2, 1]),
            (OFF, vec![0, 3, 1]),
            (LEVEL_CHANGED, vec![30, 3, 1]),
        ];
        assert_eq!(answers(&mut house, &off), expected);
        let dim = command(DIM, &[55, 3, 1]);
        let expected = [(ON, vec![0, 3, 1]), (LEVEL_CHANGED, vec![55, 3, 1])];
        assert_eq!(answers(&mut house, &dim), expected);
        for other in [
            command(TURN_ON, &[0, 8, 1]),
            command(TURN_ON, &[0]),
            command(DIM, &[50, 2, 1]),
            command(9, &[0, 1, 1]),
        ] {
            assert_eq!(answers(&mut house, &other), []);
        }
    }

    #[test]
    fn the_heating_can_be_set() {
        let mut house = house();
        let plain = house.measurement(9, TEMPERATURE, CELSIUS, 19.5);
        let set = |zone| {
            let data = [&[1, zone, 0][..], &plain.data[..]].concat();
            house_event(SET_VALUE_ZONE, &data)
        };
        assert_eq!(answers(&mut house, &set(2)).len(), 1);
        assert_eq!(house.rooms[1].wanted, 19.5);
        assert_eq!(answers(&mut house, &set(7)), []);
    }

    fn house_event(class: u16, data: &[u8]) -> Event {
        house().event(class, TEMPERATURE, 9, data)
    }
}
