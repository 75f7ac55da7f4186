//! The unit, device class and state class of a measurement in Home Assistant, which allows only
//! certain combinations.

use vscpl2drv_websocksrv::event::names;

/// A kind of measurement, as Home Assistant names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) unit: Option<&'static str>,
    /// The factor that converts a value to this unit.
    pub(super) factor: f64,
    pub(super) device_class: Option<&'static str>,
    pub(super) state_class: Option<&'static str>,
}

const MEASUREMENT: Option<&str> = Some("measurement");
const INCREASING: Option<&str> = Some("total_increasing");

/// Type of class 10, unit code, unit, factor, device class, state class.
type Row = (
    u16,
    u8,
    &'static str,
    f64,
    &'static str,
    Option<&'static str>,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (2, 0, "m", 1.0, "distance", MEASUREMENT),
    (51, 0, "m", 1.0, "distance", MEASUREMENT),
    (51, 1, "ft", 1.0, "distance", MEASUREMENT),
    (51, 2, "in", 1.0, "distance", MEASUREMENT),
    (3, 0, "kg", 1.0, "weight", MEASUREMENT),
    (4, 0, "s", 1.0, "duration", MEASUREMENT),
    (4, 1, "ms", 1.0, "duration", MEASUREMENT),
    (5, 0, "A", 1.0, "current", MEASUREMENT),
    (6, 0, "K", 1.0, "temperature", MEASUREMENT),
    (6, 1, "°C", 1.0, "temperature", MEASUREMENT),
    (6, 2, "°F", 1.0, "temperature", MEASUREMENT),
    (49, 0, "K", 1.0, "temperature", MEASUREMENT),
    (49, 1, "°C", 1.0, "temperature", MEASUREMENT),
    (49, 2, "°F", 1.0, "temperature", MEASUREMENT),
    (9, 0, "Hz", 1.0, "frequency", MEASUREMENT),
    (12, 0, "Pa", 1.0, "pressure", MEASUREMENT),
    (12, 1, "bar", 1.0, "pressure", MEASUREMENT),
    (12, 2, "psi", 1.0, "pressure", MEASUREMENT),
    (13, 0, "J", 1.0, "energy", INCREASING),
    (13, 1, "kWh", 1.0, "energy", INCREASING),
    (13, 2, "Wh", 1.0, "energy", INCREASING),
    (14, 0, "W", 1.0, "power", MEASUREMENT),
    (14, 1, "W", 735.49875, "power", MEASUREMENT),
    (14, 2, "W", 745.69987, "power", MEASUREMENT),
    (16, 0, "V", 1.0, "voltage", MEASUREMENT),
    (25, 0, "lx", 1.0, "illuminance", MEASUREMENT),
    (28, 0, "m³", 1.0, "volume_storage", MEASUREMENT),
    (28, 1, "L", 1.0, "volume_storage", MEASUREMENT),
    (28, 2, "mL", 1.0, "volume_storage", MEASUREMENT),
    (28, 3, "L", 0.1, "volume_storage", MEASUREMENT),
    (28, 4, "L", 0.01, "volume_storage", MEASUREMENT),
    (32, 0, "m/s", 1.0, "speed", MEASUREMENT),
    (32, 1, "km/h", 1.0, "speed", MEASUREMENT),
    (32, 2, "mph", 1.0, "speed", MEASUREMENT),
    (35, 0, "%", 1.0, "humidity", MEASUREMENT),
    (36, 0, "m³/h", 3600.0, "volume_flow_rate", MEASUREMENT),
    (52, 0, "m²", 1.0, "area", MEASUREMENT),
    (52, 1, "m²", 100.0, "area", MEASUREMENT),
    (52, 3, "km²", 1.0, "area", MEASUREMENT),
    (55, 0, "W/m²", 1.0, "irradiance", MEASUREMENT),
    (60, 0, "dB", 1.0, "sound_pressure", MEASUREMENT),
    (63, 0, "", 1.0, "power_factor", MEASUREMENT),
    (64, 0, "var", 1.0, "reactive_power", MEASUREMENT),
    (65, 0, "kvarh", 1.0, "reactive_energy", INCREASING),
    (50, 0, "", 1.0, "", MEASUREMENT),
    (0, 0, "", 1.0, "", MEASUREMENT),
    (1, 0, "", 1.0, "", Some("total")),
    (30, 0, "°", 57.29578, "", MEASUREMENT),
    (31, 0, "°", 1.0, "", None),
    (31, 1, "°", 1.0, "", None),
    (45, 0, "mol/m³", 1.0, "", MEASUREMENT),
    (45, 1, "ppm", 1.0, "", MEASUREMENT),
    (45, 2, "%", 1.0, "", MEASUREMENT),
];

/// Returns what a measurement is. Of a unit that is not in the table only the symbol is known: with
/// a device class that it does not belong to, Home Assistant would refuse it.
pub(super) fn quantity(kind: u16, unit: u8) -> Quantity {
    let given = |text: &'static str| (!text.is_empty()).then_some(text);
    let row = ROWS.iter().find(|row| (row.0, row.1) == (kind, unit));
    match row {
        Some((_, _, unit, factor, device_class, state_class)) => Quantity {
            unit: given(unit),
            factor: *factor,
            device_class: given(device_class),
            state_class: *state_class,
        },
        None => Quantity {
            unit: names::unit(kind, unit),
            factor: 1.0,
            device_class: None,
            state_class: MEASUREMENT,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_the_classes_that_they_may_have() {
        let of = |kind, unit| {
            let quantity = quantity(kind, unit);
            (quantity.unit, quantity.device_class, quantity.state_class)
        };
        assert_eq!(of(6, 1), (Some("°C"), Some("temperature"), MEASUREMENT));
        assert_eq!(of(13, 1), (Some("kWh"), Some("energy"), INCREASING));
        assert_eq!(of(13, 3), (names::unit(13, 3), None, MEASUREMENT));
        assert_eq!(of(63, 0), (None, Some("power_factor"), MEASUREMENT));
        assert_eq!(of(31, 1), (Some("°"), None, None));
        assert_eq!(of(999, 0), (None, None, MEASUREMENT));
        assert_eq!(quantity(14, 1).factor, 735.49875);
    }

    #[test]
    fn no_row_is_there_twice() {
        for (index, row) in ROWS.iter().enumerate() {
            let mut before = ROWS[..index].iter();
            assert!(
                before.all(|other| (other.0, other.1) != (row.0, row.1)),
                "{row:?}"
            );
        }
    }
}
