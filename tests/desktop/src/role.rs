//! The kinds of things that programs show.

/// The roles of AT-SPI that the tests look for (`atspi-constants.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Role {
    /// A message that wants an answer.
    Alert = 2,
    /// Two states, ticked or not.
    CheckBox = 7,
    /// An item of a menu that can be ticked.
    CheckMenuItem = 8,
    /// A list that opens.
    ComboBox = 11,
    /// A window that belongs to another.
    Dialog = 16,
    /// Something that fills.
    Filler = 22,
    /// A window.
    Frame = 23,
    /// A picture that stands for something.
    Icon = 26,
    /// Text that names something.
    Label = 29,
    /// A list.
    List = 31,
    /// An entry of a list.
    ListItem = 32,
    /// A menu.
    Menu = 33,
    /// An entry of a menu.
    MenuItem = 35,
    /// A page behind a tab.
    PageTab = 37,
    /// A password that is typed.
    PasswordText = 40,
    /// A button.
    Button = 43,
    /// One of several choices.
    RadioButton = 44,
    /// A number with steps.
    SpinButton = 52,
    /// A cell of a table.
    TableCell = 56,
    /// Text that is typed.
    Text = 61,
    /// A button that stays pressed, or a switch.
    ToggleButton = 62,
    /// A window without a frame.
    Window = 69,
    /// A program.
    Application = 75,
    /// Text that is typed, in one line.
    Entry = 79,
}
